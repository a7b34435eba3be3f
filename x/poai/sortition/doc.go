// Package sortition draws participants in proportion to their weight.
//
// Each model has a 16-ary sum tree in state. A participant has one slot (leaf) in the tree of each model it serves; a node
// holds the sums of its 16 children. Updating a weight rewrites one node a level, drawing reads one node a level: five for a
// million participants. Drawing without replacement subtracts the excluded leaves along the walk, so that what is left is
// drawn exactly in proportion to its weight and the tree is not written.
package sortition
