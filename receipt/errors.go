package receipt

import "errors"

// What can be wrong with a bundle, or with what it is checked against. Verify returns exactly one of them, wrapped with what was found.
var (
	// ErrFormat is returned for what is no bundle or validators file: malformed, too large, of another version.
	ErrFormat = errors.New("malformed")
	// ErrChain is returned when the bundle is of another chain than the one that is trusted.
	ErrChain = errors.New("another chain")
	// ErrHeader is returned when header and commit contradict themselves or each other.
	ErrHeader = errors.New("bad signed header")
	// ErrValidators is returned when the bundle's validators are not those the header names.
	ErrValidators = errors.New("not the validators of the header")
	// ErrSignatures is returned when not more than 2/3 of the header's own validators signed it, or a signature is bad.
	ErrSignatures = errors.New("header is not signed by its validators")
	// ErrUntrusted is returned when too little of the trusted power signed the header.
	ErrUntrusted = errors.New("too little trusted power signed the header")
	// ErrHash is returned when the header is not the one that is trusted.
	ErrHash = errors.New("not the trusted header")
	// ErrPeriod is returned when the trusted validators were read too long before or after the header was signed.
	ErrPeriod = errors.New("trusted validators are of another time")
	// ErrStoreProof is returned when a store's root does not lead to the header's app hash.
	ErrStoreProof = errors.New("store is not under the header's app hash")
	// ErrProof is returned when a record is not under its store's root as it is given.
	ErrProof = errors.New("record is not in the store")
	// ErrReceipt is returned when the proven record is no receipt of the task that its key names, or younger than the header.
	ErrReceipt = errors.New("bad receipt")
	// ErrModel is returned when the model's record or vocabulary is not that of the receipt.
	ErrModel = errors.New("not the model of the receipt")
	// ErrOutputs is returned when the outputs do not have the receipt's output root.
	ErrOutputs = errors.New("not the outputs of the receipt")
	// ErrContent is returned when the content is none of the outputs.
	ErrContent = errors.New("content is none of the outputs")
	// ErrTrust is returned when there is nothing to trust, or a level below 1/3.
	ErrTrust = errors.New("nothing to trust")
	// ErrNotFound is returned by Export when the chain has no receipt of the task (yet).
	ErrNotFound = errors.New("no receipt")
)
