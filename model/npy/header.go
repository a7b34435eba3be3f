package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"poaid/engine"
)

// header is what a file says about its data.
type header struct {
	dtype engine.DType
	shape []int64
	size  int64 // bytes of the data
}

// fits compares with the bytes that follow the header.
func (h header) fits(have int64) error {
	if h.size != have {
		return fmt.Errorf("%w: data: %d bytes, shape %v of %s takes %d", ErrFormat, have, h.shape, h.dtype, h.size)
	}
	return nil
}

// scanner reads a Python literal from left to right; err is the first failure.
type scanner struct {
	rest string
	err  error
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \n") }

// take reads a token if it is next.
func (s *scanner) take(token string) bool {
	s.space()
	rest, ok := strings.CutPrefix(s.rest, token)
	if ok && s.err == nil {
		s.rest = rest
		return true
	}
	return false
}

func (s *scanner) want(token string) {
	if !s.take(token) {
		s.fail("want %q at %.40q", token, s.rest)
	}
}

// text reads a string in single or double quotes; escapes do not occur in what is read here.
func (s *scanner) text() string {
	for _, quote := range []string{"'", `"`} {
		if !s.take(quote) {
			continue
		}
		v, rest, ok := strings.Cut(s.rest, quote)
		if !ok {
			break
		}
		s.rest = rest
		return v
	}
	s.fail("want a string at %.40q", s.rest)
	return ""
}

func (s *scanner) boolean() bool {
	if s.take("True") {
		return true
	}
	s.want("False")
	return false
}

// dims reads a tuple of dimensions: (), (3,), (3, 4).
func (s *scanner) dims() []int64 {
	shape := []int64{}
	s.want("(")
	for s.err == nil && !s.take(")") {
		if len(shape) == MaxRank {
			s.fail("shape: more than %d dimensions", MaxRank)
			return nil
		}
		s.space()
		n := strings.IndexFunc(s.rest, func(r rune) bool { return r < '0' || r > '9' })
		d, err := strconv.ParseInt(s.rest[:max(n, 0)], 10, 64)
		if err != nil {
			s.fail("shape[%d]: %.40q is no dimension: %w", len(shape), s.rest[:max(n, 0)], errors.Unwrap(err))
			return nil
		}
		shape, s.rest = append(shape, d), s.rest[n:]
		if comma := s.take(","); !comma && len(shape) == 1 {
			s.fail("shape: (%d) is a number, want a tuple such as (%d,)", d, d)
		} else if !comma {
			s.want(")")
			break
		}
	}
	return shape
}

// parseHeader reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } in any order of keys, followed by spaces and a newline.
func parseHeader(text string) (header, error) {
	s := &scanner{rest: text}
	var descr string
	var columns bool
	var shape []int64
	seen := map[string]bool{}
	s.want("{")
	for s.err == nil && !s.take("}") {
		key := s.text()
		if seen[key] {
			s.fail("%q is there twice", key)
		}
		seen[key] = true
		s.want(":")
		switch key {
		case "descr":
			descr = s.text()
		case "fortran_order":
			columns = s.boolean()
		case "shape":
			shape = s.dims()
		default:
			s.fail("unknown key %.40q, want descr, fortran_order and shape", key)
		}
		if !s.take(",") {
			s.want("}")
			break
		}
	}
	s.space()
	switch {
	case s.err != nil:
		return header{}, s.err
	case s.rest != "":
		return header{}, fmt.Errorf("%.40q after the dict", s.rest)
	case len(seen) != 3:
		return header{}, errors.New("want the keys descr, fortran_order and shape")
	case columns && len(shape) > 1:
		return header{}, errors.New("fortran_order: column-major arrays are not supported; save with numpy.ascontiguousarray")
	}
	h := header{shape: shape}
	var err error
	if h.dtype, err = dtypeOf(descr); err != nil {
		return header{}, err
	}
	if h.size, err = engine.ByteSize(h.dtype, shape); err != nil {
		return header{}, fmt.Errorf("shape: %w", err)
	}
	return h, nil
}

// tuple writes a shape as Python does.
func tuple(shape []int64) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = strconv.FormatInt(d, 10)
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
