// Package quantise rewrites a float32 model into one that multiplies 8-bit integers, exactly: the result is an ordinary
// program whose every bit is defined (docs/engine.md), only its numbers differ a little from the float model's.
//
//	Dynamic(p)           weights as i8 with a scale per output channel, activations quantised row by row as they come;
//	                     for language models and every other program with products by a weight
//	Static(p, samples)   activations with fixed scales, found on calibration samples: from one product to the next only
//	                     integers flow (i8 × i8 → i32, integer bias, integer requantisation); for MLPs and CNNs
//	Compare, CompareText how much was lost
//
// A product x·wᵀ of Dynamic is, for each row of x,
//
//	s = max|x| / 127;  q = quantise(x, s, 0);  y = f32(q·wqᵀ)·s·sw
//
// in named nodes, so that rows never mix and decoding is a product of i8 [1, k] with a weight i8 [n, k].
//
// The scales are chosen here with float64 arithmetic whose every operation is rounded, so that the same model gives the
// same quantised model on every machine.
package quantise
