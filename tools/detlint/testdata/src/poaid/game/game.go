package game

import (
	"maps"
	"slices"
	"sort"
)

type byName []string

func (b byName) Len() int           { return len(b) }
func (b byName) Less(i, j int) bool { return b[i] < b[j] }
func (b byName) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func sum(m map[string]int) (n int) {
	for _, v := range m { // want `range over a map`
		n += v
	}
	return n
}

func keys(m map[string]int) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

func keysSorter(m map[string]int) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	sort.Sort(byName(ks))
	return ks
}

func keysUnsorted(m map[string]int) []string {
	var ks []string
	for k := range m { // want `range over a map`
		ks = append(ks, k)
	}
	return ks
}

func values(m map[string]int) []int {
	var vs []int
	for _, v := range m { // want `range over a map`
		vs = append(vs, v)
	}
	slices.Sort(vs)
	return vs
}

func iterators(m map[string]int) []string {
	for range maps.Values(m) { // want `maps.Values in a consensus package`
	}
	_ = slices.Collect(maps.Keys(m)) // want `maps.Keys in a consensus package`
	return slices.Sorted(maps.Keys(m))
}

func clear(m map[string]int) {
	for k := range m { //detlint:allow deleting is order-free
		delete(m, k)
	}
}

func slice(s []int) (n int) {
	for _, v := range s {
		n += v
	}
	return n
}
