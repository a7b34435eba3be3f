package game

func inTest(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
