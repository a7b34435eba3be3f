package main

import "math"

// tail is what a coalition can do about one height's randomness: the run of own proposers that ends at the height (or is still going on
// there). Element i is about the i-th height of the run.
//
// At each of these heights the coalition may let any of its own proposers of the rest of the run make the block, for which the ones before
// have to forfeit theirs, or forfeit all and leave the height to the honest proposer that ends the run. Its own values it knows as soon as
// the run begins; the honest proposer's nobody does. A validator has one value for a height, whatever the round.
type tail struct {
	// price[i] are the blocks forfeited for each distinct own value at the i-th height, ascending.
	price [][]int
	// forfeit[i] are the blocks forfeited to leave the i-th height to an honest proposer.
	forfeit []int
}

// tailAt is the tail of a height of the sequence; empty if its proposer is not of the coalition. At most limit heights of it count.
func tailAt(slots []int, height, limit int) tail {
	begin := height + 1
	for begin > 0 && slots[begin-1] >= 0 && height-begin+1 < limit {
		begin--
	}
	end := begin
	for end < len(slots) && slots[end] >= 0 {
		end++
	}
	var t tail
	for h := begin; h <= height; h++ {
		var prices []int
		seen := map[int]bool{}
		for i, member := range slots[h:end] {
			if !seen[member] {
				seen[member] = true
				prices = append(prices, i)
			}
		}
		t.price = append(t.price, prices)
		t.forfeit = append(t.forfeit, end-h)
	}
	return t
}

// outcomes is the number of independent values among which the coalition in effect chooses; 1 is no choice. With N(i) the number of ways
// to take own values from the i-th height on it is 1 + N(0) + N(1) + …: all of N(0) are seen at once; where none is good one forfeits the
// first height to an honest proposer, and sees N(1) new ones; the last 1 is an honest value at the height itself. Forfeiting later first
// is never better, because it leaves less to see.
func (t tail) outcomes() float64 {
	ways, sum := 1.0, 1.0
	for i := len(t.price) - 1; i >= 0; i-- {
		ways = float64(ways * float64(len(t.price[i])))
		sum += ways
	}
	return sum
}

// bestOf is the chance that one of n independent tries succeeds that each do with chance p.
func bestOf(n, p float64) float64 {
	if p >= 1 {
		return 1
	}
	return -math.Expm1(n * math.Log1p(-p))
}

// forfeits is the expected number of blocks forfeited by a coalition that wants an outcome of chance p, takes the cheapest own values that
// are good, and otherwise forfeits as far as there is hope.
func (t tail) forfeits(p float64) float64 {
	after := 0.0
	ways := []float64{1} // by price
	for i := len(t.price) - 1; i >= 0; i-- {
		ways = addPrices(ways, t.price[i])
		missed, sum := 1.0, 0.0
		for price, n := range ways {
			hit := float64(missed * bestOf(n, p))
			sum += float64(hit * float64(price))
			missed -= hit
		}
		after = sum + float64(missed*(float64(t.forfeit[i])+after))
	}
	return after
}

// addPrices counts the ways by price when one more height may cost any of the prices.
func addPrices(ways []float64, prices []int) []float64 {
	out := make([]float64, len(ways)+prices[len(prices)-1])
	for have, n := range ways {
		for _, p := range prices {
			out[have+p] += n
		}
	}
	return out
}
