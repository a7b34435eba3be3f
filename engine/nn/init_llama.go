package nn

import (
	"math"
	"strings"
)

// WithInit is Params with matrices that start from a standard deviation of std, and those that write into the residual
// stream (wo, w2) from std/√(2·layers) (Radford et al. 2019).
func (c LlamaConfig) WithInit(std float32) []ParamSpec {
	residual := float32(float64(std) / math.Sqrt(float64(2*c.Layers)))
	list := c.Params()
	for i, p := range list {
		switch {
		case len(p.Shape) < 2:
		case strings.HasSuffix(p.Name, ".wo.weight"), strings.HasSuffix(p.Name, ".w2.weight"):
			list[i].Init = Normal(residual)
		default:
			list[i].Init = Normal(std)
		}
	}
	return list
}
