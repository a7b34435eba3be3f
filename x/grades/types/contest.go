package types

import (
	"crypto/sha256"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
)

const (
	// HashBytes is the length of hashes, seals and salts.
	HashBytes = commit.Size

	maxDescription = 1_024
	maxURI         = 256
	minID, maxID   = 2, 32
)

// CheckID refuses what is no id of a contest.
func CheckID(id string) error {
	if len(id) < minID || len(id) > maxID || id[0] < 'a' || id[0] > 'z' {
		return errorsmod.Wrapf(ErrContest, "id: %.40q, want %d to %d of a-z, 0-9, '-', a letter first", id, minID, maxID)
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errorsmod.Wrapf(ErrContest, "id: %q, want %d to %d of a-z, 0-9, '-', a letter first", id, minID, maxID)
		}
	}
	return nil
}

// CheckText refuses text that is too long, no UTF-8, or has control characters.
func CheckText(field, s string, limit int) error {
	if len(s) > limit {
		return errorsmod.Wrapf(ErrContest, "%s: %d bytes, limit %d", field, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return errorsmod.Wrapf(ErrContest, "%s: not valid UTF-8", field)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return errorsmod.Wrapf(ErrContest, "%s: control character %q", field, r)
		}
	}
	return nil
}

// CheckHash refuses what is not 32 bytes.
func CheckHash(field string, b []byte) error {
	if len(b) != HashBytes {
		return errorsmod.Wrapf(ErrLength, "%s: %d bytes, want %d", field, len(b), HashBytes)
	}
	return nil
}

// CheckURI refuses an address of a work that is too long, or not text.
func CheckURI(s string) error { return CheckText("uri", s, maxURI) }

// Validate checks a new contest against the params; owner and funds are the keeper's.
func (m MsgCreateContest) Validate(p Params) error {
	if err := CheckID(m.Id); err != nil {
		return err
	}
	if err := CheckText("description", m.Description, maxDescription); err != nil {
		return err
	}
	if err := CheckHash("criteria", m.Criteria); err != nil {
		return err
	}
	if err := CheckCoin("pot", m.Pot, p.FeeDenom); err != nil {
		return err
	}
	if m.Pot.Amount.LT(p.MinPot) {
		return errorsmod.Wrapf(ErrAmount, "pot: %s, want at least min_pot %s", m.Pot, p.MinPot)
	}
	for _, b := range []struct {
		name           string
		v, least, most int64
	}{
		{"seats", int64(m.Seats), 1, int64(p.MaxSeats)},
		{"max_entries", int64(m.MaxEntries), 2, int64(p.MaxEntries)},
		{"seal_blocks", m.SealBlocks, p.MinPhaseBlocks, p.MaxPhaseBlocks},
		{"reveal_blocks", m.RevealBlocks, p.MinPhaseBlocks, p.MaxPhaseBlocks},
		{"pause_blocks", m.PauseBlocks, 0, p.MaxPhaseBlocks},
		{"grader_bps", int64(m.GraderBps), 0, BpsOne},
	} {
		if b.v < b.least || b.v > b.most {
			return errorsmod.Wrapf(ErrContest, "%s: %d, want %d..%d", b.name, b.v, b.least, b.most)
		}
	}
	return nil
}

// CheckCoin refuses what is no positive amount of denom that sums can hold.
func CheckCoin(field string, c sdk.Coin, denom string) error {
	switch {
	case c.Denom != denom:
		return errorsmod.Wrapf(ErrAmount, "%s: denom is %.40q, want %q", field, c.Denom, denom)
	case c.Amount.IsNil() || !c.Amount.IsPositive():
		return errorsmod.Wrapf(ErrAmount, "%s: want a positive amount", field)
	case c.Amount.BigInt().BitLen() > maxAmountBits:
		return errorsmod.Wrapf(ErrAmount, "%s: %s, limit 2^%d", field, c.Amount, maxAmountBits)
	}
	return nil
}

// CheckGrades refuses more grades than entries a contest can have, and grades above MaxGrade.
func CheckGrades(grades []uint32, maxEntries uint32) error {
	if len(grades) > int(maxEntries) {
		return errorsmod.Wrapf(ErrGrades, "grades: %d, limit %d", len(grades), maxEntries)
	}
	for slot, g := range grades {
		if g > MaxGrade {
			return errorsmod.Wrapf(ErrGrades, "grades[%d]: %d, limit %d", slot, g, MaxGrade)
		}
	}
	return nil
}

// SealItem is what seals of a round are for, in the place of a task's id: number << 32 | round.
func SealItem(number, round uint64) uint64 { return number<<32 | round&(1<<32-1) }

// Seal hides a grader's grades and binds them to it, as commit.Seal does for results: over H("poai/grades/1" ‖ count u32 ‖ grades u32…).
func Seal(chainID string, number, round uint64, grader string, grades []uint32, salt [HashBytes]byte) commit.Hash {
	b := binary.LittleEndian.AppendUint32([]byte("poai/grades/1"), uint32(len(grades))) // #nosec G115 -- bounded by max_entries
	for _, g := range grades {
		b = binary.LittleEndian.AppendUint32(b, g)
	}
	return commit.Seal(chainID, SealItem(number, round), grader, sha256.Sum256(b), salt)
}

// Pool is the name under which x/poai keeps the graders of the contest. No model has it: ids of models have no slash.
func (c Contest) Pool() string { return ModuleName + "/" + c.Id }

// Running tells that a round is under way.
func (c Contest) Running() bool {
	return c.Phase == PHASE_DRAWING || c.Phase == PHASE_SEALING || c.Phase == PHASE_REVEALING
}
