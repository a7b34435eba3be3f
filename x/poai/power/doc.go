// Package power works out validators' voting power, in integers and without state.
//
// Target is where a set of validators should be: shares of bond and proven compute, blended, limited by what can be slashed (λ) and by
// a cap on each. Step takes the set that CometBFT was told of one epoch nearer to it. Between is what changes at once, in the middle
// of an epoch: who leaves, who comes, and whose bond fell.
//
// Validators are always given in the order of their operators' addresses: where rounding must prefer one of equals it is the first.
// Everything adds up: Target and Step return exactly Scale.
package power
