// Package majority decides work that has no last instance on chain (graded, tolerant) by a majority of seats that grows until it is safe.
//
// Seats are drawn by weight, one after the other, until one answer leads every other by L. Each seat is an adversary's with probability at most
// f, all adversaries agree on one wrong answer and all honest seats on the right one. The difference of the two counts is then a random walk that
// starts at 0, steps towards the adversary with probability f and ends at −L or L; by the gambler's ruin the adversary's end is reached first with
// probability
//
//	1 / (1 + ((1−f)/f)^L)  ≤  (f/(1−f))^L
//
// and the walk takes L/(1−2f) seats on average, a little less. So a capture of at most 10^−e needs L = ⌈e·ln 10 / ln((1−f)/f)⌉, however long it takes.
// For 10^−9 that is 12.5, 25, 62.5 and 260 seats at f = .1, .2, .3 and .4; a committee of fixed size that decides by simple majority needs 35, 81, 207 and 881.
// (W. Feller, An Introduction to Probability Theory and Its Applications, volume I, chapter XIV; A. Wald, Sequential Analysis.)
//
// Seats that abstain are not counted: f is the adversary's share of the weight of those who answer.
package majority
