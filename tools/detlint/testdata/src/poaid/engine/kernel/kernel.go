package kernel

type pair struct{ a float32 }

func mul(x, y float32) float32 {
	return x * y // want `product is returned unrounded`
}

func rounded(x, y float32) float32 { return float32(x * y) }

func store(p *pair, dst []float32, x, y float32) {
	p.a = x * y         // want `product is stored unrounded`
	dst[0] = x * y      // want `product is stored unrounded`
	rounded(x*y, y)     // want `product is passed unrounded`
	dst[1] = x * y * 2  // want `product is stored unrounded`
	dst[2] = float32(x) // a conversion rounds
}

func goroutines() { go mul(1, 2) }
