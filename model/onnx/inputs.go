package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"poaid/engine"
)

// inputs declares what is neither computed nor known.
func (c *converter) inputs(g *Graph, consts map[string]*engine.Tensor, shapes map[string][]int64) ([]string, error) {
	var list []string
	given := maps.Clone(shapes)
	for _, in := range g.Inputs {
		if consts[in.Name] != nil {
			continue // an initialiser with a default value
		}
		shape, err := in.fixed(given)
		if err != nil {
			return nil, err
		}
		delete(given, in.Name)
		dt, err := dtypeOf(in.Type)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w: %w", in.Name, ErrUnsupported, err)
		}
		if c.vals[in.Name] != nil {
			return nil, fmt.Errorf("%w: input %q is there twice", ErrFile, in.Name)
		}
		name := c.unique(in.Name, "input")
		dims := shape
		if len(dims) == 0 {
			dims = []int64{1}
		}
		c.vals[in.Name] = &val{v: c.b.Input(name, dt, dims...), scalar: len(shape) == 0, uses: c.uses[in.Name]}
		list = append(list, fmt.Sprintf("%s %s%v", name, strings.ToLower(strings.TrimPrefix(dt.String(), "DTYPE_")), dims))
	}
	if len(given) > 0 {
		return nil, fmt.Errorf("shape: there is no input %q", slices.Sorted(maps.Keys(given))[0])
	}
	return list, nil
}

// fixed gives the shape of an input.
func (in *Info) fixed(given map[string][]int64) ([]int64, error) {
	shape, ok := given[in.Name]
	if !ok {
		if !in.HasShape || slices.Contains(in.Dims, -1) {
			return nil, fmt.Errorf("input %q has the shape %s; say what it shall be, such as --shape %s=%s", in.Name, in.describe(), in.Name, in.example())
		}
		shape = in.Dims
	} else if in.HasShape {
		if len(shape) != len(in.Dims) {
			return nil, fmt.Errorf("shape of input %q: %v, the file has %s", in.Name, shape, in.describe())
		}
		for i, d := range in.Dims {
			if d >= 0 && shape[i] != d {
				return nil, fmt.Errorf("shape of input %q: %v, the file has %s", in.Name, shape, in.describe())
			}
		}
	}
	if n, err := checkShape(shape); err != nil || n < 1 {
		return nil, fmt.Errorf("shape of input %q: %v: want 1 to %d elements and at most %d dimensions", in.Name, shape, int64(MaxElements), MaxRank)
	}
	return shape, nil
}

func (in *Info) describe() string {
	if !in.HasShape {
		return "(unknown)"
	}
	list := make([]string, len(in.Dims))
	for i, d := range in.Dims {
		switch {
		case d >= 0:
			list[i] = strconv.FormatInt(d, 10)
		case in.Params[i] != "":
			list[i] = in.Params[i]
		default:
			list[i] = "?"
		}
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (in *Info) example() string {
	if !in.HasShape {
		return "1,3,224,224"
	}
	list := make([]string, len(in.Dims))
	for i, d := range in.Dims {
		switch {
		case d >= 0:
			list[i] = strconv.FormatInt(d, 10)
		case i == 0:
			list[i] = "1"
		default:
			list[i] = "224"
		}
	}
	return strings.Join(list, ",")
}
