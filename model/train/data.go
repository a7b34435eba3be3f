package train

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"poaid/engine"
	"poaid/engine/num"
	"poaid/model/npy"
)

// maxDataBytes bounds a file of data, unpacked.
const maxDataBytes = 4 << 30

// ErrData is wrapped by every error about the data.
var ErrData = errors.New("invalid training data")

// samples is a data set of vectors or pictures with what they should give.
type samples struct {
	x *engine.Tensor // [n, shape…], f32 or u8
	// labels are classes by sample; nil where there are targets f32 [n, width].
	labels  []uint8
	targets []float32
	width   int64
	// names of the classes, where the data name them.
	names []string
}

func (s *samples) len() int64 { return s.x.Shape()[0] }

// loadSamples reads what a spec names.
func loadSamples(spec *Spec) (*samples, error) {
	d := spec.Data
	var s *samples
	var err error
	switch d.Format {
	case "csv":
		var raw []byte
		if raw, err = readData(spec.path(d.Path)); err != nil {
			return nil, err
		}
		if s, err = parseCSV(raw, d, spec.Loss == "mse"); err != nil {
			return nil, fmt.Errorf("%w: data.path: %s: %w", ErrData, d.Path, err)
		}
	default:
		if s, err = loadArrays(spec); err != nil {
			return nil, err
		}
	}
	if err := s.reshape(d.Shape); err != nil {
		return nil, fmt.Errorf("%w: data.shape: %w", ErrData, err)
	}
	return s, s.countClasses(d.Classes)
}

// loadArrays reads inputs and labels from two files.
func loadArrays(spec *Spec) (*samples, error) {
	d, parse := spec.Data, npy.Parse
	if d.Format == "idx" {
		parse = parseIDX
	}
	read := func(field, path string) (*engine.Tensor, error) {
		raw, err := readData(spec.path(path))
		if err != nil {
			return nil, err
		}
		t, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: data.%s: %s: %w", ErrData, field, path, err)
		}
		if len(t.Shape()) == 0 || t.Len() == 0 {
			return nil, fmt.Errorf("%w: data.%s: %s: shape %v, want one row a sample", ErrData, field, path, t.Shape())
		}
		return t, nil
	}
	x, err := read("inputs", d.Inputs)
	if err != nil {
		return nil, err
	}
	y, err := read("labels", d.Labels)
	if err != nil {
		return nil, err
	}
	if x.DType() != engine.F32 && x.DType() != engine.U8 {
		return nil, fmt.Errorf("%w: data.inputs: %s, want f32 or u8", ErrData, x)
	}
	if x.Shape()[0] != y.Shape()[0] {
		return nil, fmt.Errorf("%w: data.labels: %d rows, the inputs have %d", ErrData, y.Shape()[0], x.Shape()[0])
	}
	s := &samples{x: x}
	if spec.Loss == "mse" {
		if y.F32() == nil {
			return nil, fmt.Errorf("%w: data.labels: %s, want f32 targets", ErrData, y)
		}
		s.targets, s.width = y.F32(), y.Len()/y.Shape()[0]
		return s, nil
	}
	s.labels, err = classLabels(y)
	return s, err
}

// classLabels reads classes of any whole type.
func classLabels(y *engine.Tensor) ([]uint8, error) {
	if y.Len() != y.Shape()[0] {
		return nil, fmt.Errorf("%w: data.labels: shape %v, want one number a sample", ErrData, y.Shape())
	}
	var at func(i int) int64
	switch y.DType() {
	case engine.U8:
		at = func(i int) int64 { return int64(y.U8()[i]) }
	case engine.I32:
		at = func(i int) int64 { return int64(y.I32()[i]) }
	case engine.I64:
		at = func(i int) int64 { return y.I64()[i] }
	default:
		return nil, fmt.Errorf("%w: data.labels: %s, want u8, i32 or i64 classes", ErrData, y)
	}
	out := make([]uint8, y.Len())
	for i := range out {
		v := at(i)
		if v < 0 || v >= maxClasses {
			return nil, fmt.Errorf("%w: data.labels: row %d: class %d, want 0 to %d", ErrData, i, v, maxClasses-1)
		}
		out[i] = uint8(v)
	}
	return out, nil
}

// reshape gives samples the shape that the spec says; none leaves it, but for plain numbers, which become vectors of one.
func (s *samples) reshape(shape []int64) error {
	n := s.len()
	if len(shape) == 0 {
		if shape = s.x.Shape()[1:]; len(shape) == 0 {
			shape = []int64{1}
		}
	}
	per, err := engine.Elements(shape)
	if err != nil {
		return err
	}
	if per != s.x.Len()/n {
		return fmt.Errorf("%v has %d numbers, a sample of the data %d", shape, per, s.x.Len()/n)
	}
	s.x, err = engine.TensorFromBytes(s.x.DType(), append([]int64{n}, shape...), s.x.Bytes())
	return err
}

// countClasses sets width to the number of classes, and checks that what the spec says holds them.
func (s *samples) countClasses(want int64) error {
	if s.labels == nil {
		return nil
	}
	have := int64(len(s.names))
	for _, l := range s.labels {
		have = max(have, int64(l)+1)
	}
	if s.width = max(want, have); want != 0 && want < have || s.width < 2 {
		return fmt.Errorf("%w: data.classes: %d, the labels name %d; want at least 2", ErrData, want, have)
	}
	return nil
}

// split deals the samples into those that are trained on and a part held back, by a shuffle of the seed (Fisher and Yates).
func (s *samples) split(part float64, seed int64) (train, held *samples, err error) {
	n := s.len()
	cut := int64(math.Floor(float64(n) * part))
	if part > 0 && cut == 0 {
		cut = 1
	}
	if cut >= n {
		return nil, nil, fmt.Errorf("%w: data.held_back: %d of %d samples leave none", ErrData, cut, n)
	}
	if cut == 0 {
		return s, nil, nil
	}
	order := make([]int64, n)
	for i := range order {
		order[i] = int64(i)
	}
	for i := n - 1; i > 0; i-- {
		j, _ := bits.Mul64(num.Rand64(uint64(seed), uint64(i), splitStream), uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	if held, err = s.pick(order[:cut]); err != nil {
		return nil, nil, err
	}
	train, err = s.pick(order[cut:])
	return train, held, err
}

// splitStream keeps the shuffle apart from what else the seed draws.
const splitStream = 0x73706c69

// pick copies samples by index.
func (s *samples) pick(idx []int64) (*samples, error) {
	out := &samples{width: s.width, names: s.names}
	row := len(s.x.Bytes()) / int(s.len())
	data := make([]byte, 0, row*len(idx))
	for _, i := range idx {
		data = append(data, s.x.Bytes()[int(i)*row:(int(i)+1)*row]...)
		if s.labels != nil {
			out.labels = append(out.labels, s.labels[i])
		} else {
			out.targets = append(out.targets, s.targets[i*s.width:(i+1)*s.width]...)
		}
	}
	var err error
	out.x, err = engine.TensorFromBytes(s.x.DType(), append([]int64{int64(len(idx))}, s.x.Shape()[1:]...), data)
	return out, err
}

// tensors gives the weights of a training or measuring program: data, in a net's shape, and labels or targets.
func (s *samples) tensors(shape []int64) (map[string]*engine.Tensor, error) {
	out, n := map[string]*engine.Tensor{}, s.len()
	var err error
	if out["data"], err = engine.TensorFromBytes(s.x.DType(), append([]int64{n}, shape...), s.x.Bytes()); err != nil {
		return nil, err
	}
	if s.labels != nil {
		out["labels"], err = engine.FromU8(s.labels, n)
	} else {
		out["targets"], err = engine.FromF32(s.targets, n, s.width)
	}
	return out, err
}

// readData reads a file, unpacked where its name ends in .gz.
func readData(path string) ([]byte, error) {
	raw, err := readFile(path, maxDataBytes)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return raw, err
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrData, path, err)
	}
	out, err := io.ReadAll(io.LimitReader(r, maxDataBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrData, path, err)
	}
	if len(out) > maxDataBytes {
		return nil, fmt.Errorf("%w: %s: more than %d bytes unpacked", ErrData, path, int64(maxDataBytes))
	}
	return out, nil
}

// parseIDX reads the format of MNIST's files: two zero bytes, the type (8: u8, 13: big-endian f32), the rank, big-endian u32
// dimensions, and the data, which must be exactly as long as they say.
func parseIDX(raw []byte) (*engine.Tensor, error) {
	if len(raw) < 4 || raw[0] != 0 || raw[1] != 0 {
		return nil, errors.New("idx: it does not begin with two zero bytes, a type and a rank")
	}
	dtypes := map[byte]engine.DType{8: engine.U8, 13: engine.F32}
	dt, ok := dtypes[raw[2]]
	if !ok {
		return nil, fmt.Errorf("idx: type %d, want 8 (u8) or 13 (f32)", raw[2])
	}
	rank := int(raw[3])
	if rank < 1 || rank > npy.MaxRank || len(raw) < 4+4*rank {
		return nil, fmt.Errorf("idx: rank %d in %d bytes, want 1 to %d", rank, len(raw), npy.MaxRank)
	}
	shape := make([]int64, rank)
	for i := range shape {
		shape[i] = int64(binary.BigEndian.Uint32(raw[4+4*i:]))
	}
	body := raw[4+4*rank:]
	size, err := engine.ByteSize(dt, shape)
	if err != nil {
		return nil, fmt.Errorf("idx: %w", err)
	}
	if size != int64(len(body)) {
		return nil, fmt.Errorf("idx: %d bytes of data, %v takes %d", len(body), shape, size)
	}
	if dt == engine.F32 {
		swapped := make([]byte, len(body))
		for i := 0; i < len(body); i += 4 {
			binary.LittleEndian.PutUint32(swapped[i:], binary.BigEndian.Uint32(body[i:]))
		}
		body = swapped
	}
	return engine.TensorFromBytes(dt, shape, body)
}
