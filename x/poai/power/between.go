package power

// Member of the set that holds from now on, within an epoch.
type Member struct {
	// Told is its power so far; 0 means that it was not in the set.
	Told int64
	// Back is the share, in units of Scale, that it comes back with; 0 means that it comes for the first time, with the least power.
	Back int64
	// Fell tells that its bond fell since it was last looked at.
	Fell bool
	// Limit is λ's limit of its share, in units of Scale.
	Limit int64
}

// Between returns the powers of a set that changed within an epoch. Whoever left is not given, which alone moves nobody's power in relation
// to another's. Whose bond fell is cut to its limit; nobody else changes. The sum is at most MaxTotal. One member at least must have been told.
func Between(set []Member) []int64 {
	powers := make([]int64, len(set))
	for i, m := range set {
		powers[i] = m.Told
	}
	cut(set, powers)
	var total, back int64
	for i, m := range set {
		total += powers[i]
		if m.Told == 0 {
			back += max(m.Back, 0)
		}
	}
	for i, m := range set {
		if m.Told > 0 {
			continue
		}
		// p / (total + Σ p) = Back / Scale for all who come back.
		powers[i] = 1
		if m.Back > 0 && back < Scale {
			powers[i] = max(mulDiv(total, m.Back, Scale-back), 1)
		}
	}
	total = 0
	for _, p := range powers {
		total += p
	}
	if total > MaxTotal {
		return normal(powers)
	}
	return powers
}

// cut brings those whose bond fell, and who are above their limit, to it. Each cut makes the others' shares larger, so it goes on until
// nobody is above. Where the limits of those cut leave nothing for the others to hold there is nobody to be in proportion to, and they stay.
func cut(set []Member, powers []int64) {
	in := make([]bool, len(set))
	for {
		var others, limits, total int64
		for i, p := range powers {
			total += p
			if in[i] {
				limits += set[i].Limit
			} else {
				others += p
			}
		}
		more := false
		for i, m := range set {
			if m.Fell && !in[i] && m.Told > 0 && Share(powers[i], total) > m.Limit {
				in[i], more = true, true
				others -= powers[i]
				limits += m.Limit
			}
		}
		if !more || limits >= Scale || others <= 0 {
			return
		}
		for i, m := range set {
			if in[i] {
				powers[i] = max(mulDiv(others, m.Limit, Scale-limits), 1)
			}
		}
	}
}
