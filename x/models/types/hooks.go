package types

import "context"

// LineageHooks keep what models descend from. x/lineage implements them.
type LineageHooks interface {
	// CheckParents refuses parents that a model of this id may not have: unknown, listed twice, itself, too many, too deep, or with
	// shares that are zero or too large together. Nothing is written.
	CheckParents(ctx context.Context, id string, parents []Parent) error
	// AfterModelRegistered checks and keeps the parents of a new model; there is at least one.
	AfterModelRegistered(ctx context.Context, model Model, parents []Parent) error
}
