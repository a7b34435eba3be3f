package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// Limits of what participants declare and tasks ask for.
const (
	// MaxTags is how many tags there may be.
	MaxTags = 16
	// MaxTagBytes is the length of the longest tag.
	MaxTagBytes = 32
	// MaxMemoryMiB is the most memory that can be declared or asked for: an exbibyte.
	MaxMemoryMiB = 1 << 40
)

// QualifyRequest asks whether somebody may take a task that was not drawn for it.
type QualifyRequest struct {
	Participant string
	Model       string // it must serve this
	// Requirements it must meet; nil for none.
	Requirements *Requirements
	// Lock must be free of its bond.
	Lock math.Int
	// Place: it must have a free place. Who has promised to be there takes a place beyond its concurrency.
	Place bool
}

// CheckDeclaration checks what a participant says about its machines. ErrInvalidDescription.
func CheckDeclaration(memoryMiB uint64, tags []string) error {
	if memoryMiB > MaxMemoryMiB {
		return errorsmod.Wrapf(ErrInvalidDescription, "memory_mib: %d, limit %d", memoryMiB, uint64(MaxMemoryMiB))
	}
	return checkTags(ErrInvalidDescription, tags)
}

// Validate checks what a task asks for; nil asks for nothing. ErrInvalidRequirements.
func (r *Requirements) Validate() error {
	if r == nil {
		return nil
	}
	if r.MemoryMib > MaxMemoryMiB {
		return errorsmod.Wrapf(ErrInvalidRequirements, "memory_mib: %d, limit %d", r.MemoryMib, uint64(MaxMemoryMiB))
	}
	if r.MinReliabilityPpm > PPM {
		return errorsmod.Wrapf(ErrInvalidRequirements, "min_reliability_ppm: %d, limit %d", r.MinReliabilityPpm, PPM)
	}
	return checkTags(ErrInvalidRequirements, r.Tags)
}

// checkTags wants few short tags, sorted and each once, so that sets compare in one walk.
func checkTags(sentinel *errorsmod.Error, tags []string) error {
	if len(tags) > MaxTags {
		return errorsmod.Wrapf(sentinel, "tags: %d, limit %d", len(tags), MaxTags)
	}
	for i, tag := range tags {
		if tag == "" || len(tag) > MaxTagBytes {
			return errorsmod.Wrapf(sentinel, "tags[%d]: %d bytes, want 1..%d", i, len(tag), MaxTagBytes)
		}
		for _, c := range []byte(tag) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != ':' && c != '-' {
				return errorsmod.Wrapf(sentinel, "tags[%d]: %q, want [a-z0-9:-]", i, tag)
			}
		}
		if i > 0 && tags[i-1] >= tag {
			return errorsmod.Wrapf(sentinel, "tags[%d]: %q does not follow %q; they are sorted and each is there once", i, tag, tags[i-1])
		}
	}
	return nil
}

// Unmet says what of the requirements a participant does not meet; nil where it meets them all. ErrUnfit.
func (r *Requirements) Unmet(p Participant) error {
	switch {
	case r == nil:
		return nil
	case p.MemoryMib < r.MemoryMib:
		return errorsmod.Wrapf(ErrUnfit, "participant %s: memory_mib is %d, want %d", p.Address, p.MemoryMib, r.MemoryMib)
	case p.ReliabilityPpm < r.MinReliabilityPpm:
		return errorsmod.Wrapf(ErrUnfit, "participant %s: reliability_ppm is %d, want %d", p.Address, p.ReliabilityPpm, r.MinReliabilityPpm)
	}
	i := 0
	for _, tag := range r.Tags {
		for i < len(p.Tags) && p.Tags[i] < tag {
			i++
		}
		if i == len(p.Tags) || p.Tags[i] != tag {
			return errorsmod.Wrapf(ErrUnfit, "participant %s: has no tag %q", p.Address, tag)
		}
	}
	return nil
}
