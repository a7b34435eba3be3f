// Package adversary makes results that are wrong, and the traces with which a liar argues for them. Every lie is as consistent as it can
// be: what follows from it is computed from it, so that a liar is contradicted where it lied and nowhere before.
package adversary
