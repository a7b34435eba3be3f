package types

import (
	"strings"
	"unicode/utf8"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/model"
	modelstypes "poaid/x/models/types"
)

// maxPriceBits bounds prices, so that a share of one cannot overflow.
const maxPriceBits = 128

// Validate checks a registration by itself; errors name the field and the limit.
func (m *MsgRegisterDataset) Validate(p Params) error {
	if err := modelstypes.ValidateID(m.Id); err != nil {
		return errorsmod.Wrap(ErrInvalidDataset, err.Error())
	}
	d := Dataset{Id: m.Id, Description: m.Description, Cid: m.Cid, Licence: m.Licence, Encryption: m.Encryption}
	if err := d.checkText(); err != nil {
		return err
	}
	if len(m.Roots) == 0 || len(m.Roots) > int(p.MaxRoots) {
		return errorsmod.Wrapf(ErrRoot, "roots: %d given, must be 1..%d", len(m.Roots), p.MaxRoots)
	}
	if err := CheckRoots(m.Roots); err != nil {
		return err
	}
	return m.Terms.Validate(p)
}

// CheckRoots refuses roots that are not 32 bytes, and one that is listed twice.
func CheckRoots(roots [][]byte) error {
	seen := make(map[string]bool, len(roots))
	for i, r := range roots {
		if err := CheckHash("root", r); err != nil {
			return errorsmod.Wrapf(ErrRoot, "roots[%d]: %s", i, err)
		}
		if seen[string(r)] {
			return errorsmod.Wrapf(ErrRoot, "roots[%d]: %x is listed twice", i, r)
		}
		seen[string(r)] = true
	}
	return nil
}

// CheckHash refuses what is not 32 bytes.
func CheckHash(field string, h []byte) error {
	if len(h) != HashBytes {
		return errorsmod.Wrapf(ErrInvalidDataset, "%s: %d bytes, want %d", field, len(h), HashBytes)
	}
	return nil
}

// checkText checks what people read about a dataset.
func (d Dataset) checkText() error {
	if err := checkText("description", d.Description, 0, MaxDescriptionBytes); err != nil {
		return err
	}
	if _, err := model.ParseCID(d.Cid); err != nil {
		return errorsmod.Wrapf(ErrInvalidDataset, "cid: %s", err)
	}
	if err := checkLicence(d.Licence); err != nil {
		return err
	}
	e := d.Encryption
	if e == nil {
		return nil
	}
	if err := checkText("encryption.scheme", e.Scheme, 1, MaxSchemeBytes); err != nil {
		return err
	}
	if len(e.KeyCommitment) > 0 {
		if err := CheckHash("encryption.key_commitment", e.KeyCommitment); err != nil {
			return err
		}
	}
	return checkText("encryption.key_endpoint", e.KeyEndpoint, 0, MaxEndpointBytes)
}

// checkLicence takes what SPDX expressions are made of: identifiers, operators and parentheses.
func checkLicence(s string) error {
	if len(s) < 1 || len(s) > MaxLicenceBytes {
		return errorsmod.Wrapf(ErrInvalidDataset, "licence: %d bytes, must be 1..%d", len(s), MaxLicenceBytes)
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" .-+():/", c) >= 0 {
			continue
		}
		return errorsmod.Wrapf(ErrInvalidDataset, "licence: byte %d of %q, want letters, digits, space or one of .-+():/", i, s)
	}
	if strings.TrimSpace(s) != s {
		return errorsmod.Wrapf(ErrInvalidDataset, "licence: %q begins or ends with a space", s)
	}
	return nil
}

// checkText refuses text that is no UTF-8, holds control characters other than newline and tab, or is of the wrong length.
func checkText(field, s string, least, most int) error {
	if len(s) < least || len(s) > most {
		return errorsmod.Wrapf(ErrInvalidDataset, "%s: %d bytes, must be %d..%d", field, len(s), least, most)
	}
	if !utf8.ValidString(s) {
		return errorsmod.Wrapf(ErrInvalidDataset, "%s: not UTF-8", field)
	}
	for i, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return errorsmod.Wrapf(ErrInvalidDataset, "%s: control character at byte %d", field, i)
		}
	}
	return nil
}

// Free tells that nobody needs a grant.
func (t Terms) Free() bool { return t.Price.Amount.IsNil() || t.Price.Amount.IsZero() }

// Normal writes a price of nothing in one way.
func (t Terms) Normal() Terms {
	if t.Free() {
		t.Price, t.GrantBlocks = sdk.Coin{Amount: math.ZeroInt()}, 0
	}
	return t
}

// Validate refuses terms out of their range. A price goes with a time, and no price with none.
func (t Terms) Validate(p Params) error {
	if t.ShareBps > p.MaxShareBps {
		return errorsmod.Wrapf(ErrInvalidTerms, "share_bps: %d, limit %d", t.ShareBps, p.MaxShareBps)
	}
	return t.validatePrice(p.MaxGrantBlocks)
}

func (t Terms) validatePrice(maxBlocks int64) error {
	if t.Free() {
		if t.GrantBlocks != 0 {
			return errorsmod.Wrapf(ErrInvalidTerms, "grant_blocks: %d without a price", t.GrantBlocks)
		}
		return nil
	}
	if err := sdk.ValidateDenom(t.Price.Denom); err != nil {
		return errorsmod.Wrapf(ErrInvalidTerms, "price: %s", err)
	}
	if t.Price.Amount.IsNegative() || t.Price.Amount.BigInt().BitLen() > maxPriceBits {
		return errorsmod.Wrapf(ErrInvalidTerms, "price: %s must be in 0..2^%d", t.Price.Amount, maxPriceBits)
	}
	if t.GrantBlocks < 1 || t.GrantBlocks > maxBlocks {
		return errorsmod.Wrapf(ErrInvalidTerms, "grant_blocks: %d must be in 1..%d", t.GrantBlocks, maxBlocks)
	}
	return nil
}
