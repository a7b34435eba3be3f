package types

import (
	"strconv"
	"strings"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	modelstypes "poaid/x/models/types"
)

const (
	modelPrefix   = "model/"
	datasetPrefix = "dataset/"
)

// ModelNode names a model.
func ModelNode(id string) string { return modelPrefix + id }

// DatasetNode names a dataset.
func DatasetNode(id string) string { return datasetPrefix + id }

// ParentNode names a parent; ErrInvalidNode for an unknown kind or a malformed id.
func ParentNode(p modelstypes.Parent) (string, error) {
	var node string
	switch p.Kind {
	case modelstypes.PARENT_KIND_MODEL:
		node = ModelNode(p.Id)
	case modelstypes.PARENT_KIND_DATASET:
		node = DatasetNode(p.Id)
	default:
		return "", errorsmod.Wrapf(ErrInvalidNode, "kind: %s, want %s or %s", p.Kind, modelstypes.PARENT_KIND_MODEL, modelstypes.PARENT_KIND_DATASET)
	}
	_, _, err := ParseNode(node)
	return node, err
}

// ParseNode reads a node's name.
func ParseNode(node string) (kind modelstypes.ParentKind, id string, err error) {
	if rest, ok := strings.CutPrefix(node, modelPrefix); ok {
		kind, id = modelstypes.PARENT_KIND_MODEL, rest
	} else if rest, ok := strings.CutPrefix(node, datasetPrefix); ok {
		kind, id = modelstypes.PARENT_KIND_DATASET, rest
	} else {
		return kind, "", errorsmod.Wrapf(ErrInvalidNode, "%.64q, want model/ID or dataset/ID", node)
	}
	if err := modelstypes.ValidateID(id); err != nil {
		return kind, "", errorsmod.Wrap(ErrInvalidNode, err.Error())
	}
	return kind, id, nil
}

// ParseParent reads a node's name and share, as in model/digits:3000.
func ParseParent(text string) (modelstypes.Parent, error) {
	node, share, ok := strings.Cut(text, ":")
	if !ok {
		return modelstypes.Parent{}, errorsmod.Wrapf(ErrShare, "%.80q, want NODE:BPS", text)
	}
	kind, id, err := ParseNode(node)
	if err != nil {
		return modelstypes.Parent{}, err
	}
	bps, err := strconv.ParseUint(share, 10, 32)
	if err != nil || bps < 1 || bps > BasisPoints {
		return modelstypes.Parent{}, errorsmod.Wrapf(ErrShare, "%.80q must be in 1..%d", share, BasisPoints)
	}
	return modelstypes.Parent{Kind: kind, Id: id, ShareBps: uint32(bps)}, nil
}

// ShareDown is amount × bps / 10,000, rounded down: what a parent is due.
func ShareDown(amount math.Int, bps uint32) math.Int {
	return amount.MulRaw(int64(bps)).QuoRaw(BasisPoints)
}

// ShareUp is amount × bps / 10,000, rounded up: what an owner leaves for a parent.
func ShareUp(amount math.Int, bps uint32) math.Int {
	return amount.MulRaw(int64(bps)).AddRaw(BasisPoints - 1).QuoRaw(BasisPoints)
}

// NewAccount is one that has received nothing.
func NewAccount() Account { return Account{Received: math.ZeroInt(), Claimed: math.ZeroInt()} }

// Validate refuses amounts that are missing, negative or too large, and more claimed than received.
func (a Account) Validate() error {
	for _, f := range []struct {
		name  string
		value math.Int
	}{{"received", a.Received}, {"claimed", a.Claimed}} {
		if err := CheckAmount(f.name, f.value); err != nil {
			return err
		}
	}
	if a.Claimed.GT(a.Received) {
		return errorsmod.Wrapf(ErrAccounting, "claimed: %s of %s received", a.Claimed, a.Received)
	}
	return nil
}

// CheckAmount refuses amounts that are missing, negative or beyond 2^200.
func CheckAmount(field string, v math.Int) error {
	switch {
	case v.IsNil():
		return errorsmod.Wrapf(ErrAccounting, "%s: missing", field)
	case v.IsNegative():
		return errorsmod.Wrapf(ErrAccounting, "%s: %s is negative", field, v)
	case v.BigInt().BitLen() > MaxAmountBits:
		return errorsmod.Wrapf(ErrOverflow, "%s: more than 2^%d", field, MaxAmountBits)
	}
	return nil
}
