// Package npy reads and writes NumPy's .npy files, versions 1 to 3 of the format (numpy.lib.format): little-endian, row-major arrays of
// the engine's element types.
//
//	<f4 f32   <i4 i32   <i8 i64   |i1 i8   |u1 u8
//
// Readers are strict: the header is exactly a dict of descr, fortran_order and shape, the data is exactly as long as they say, and both
// are checked before anything of that size is allocated. NumPy saves arrays of float64 by default: convert them with
// a.astype(numpy.float32).
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"poaid/engine"
)

// Limits of a file.
const (
	// MaxHeaderBytes bounds the dict; version 1 could say up to 65,535.
	MaxHeaderBytes = 1 << 16
	// MaxRank is the largest rank that is read.
	MaxRank = 8
)

// ErrFormat is wrapped by every error about a file's contents.
var ErrFormat = errors.New("invalid NPY file")

const (
	magic = "\x93NUMPY"
	// align is what the length of everything before the data is a multiple of.
	align = 64
	// prefix is the length of magic, version and, in version 2 and 3, the header's length.
	prefix = 12
)

// dtypes are the element types by their descr; the first of a type is what Format writes.
var dtypes = []struct {
	descr string
	dtype engine.DType
}{
	{"<f4", engine.F32},
	{"<i4", engine.I32},
	{"<i8", engine.I64},
	{"|i1", engine.I8},
	{"|u1", engine.U8},
	{"<i1", engine.I8},
	{"<u1", engine.U8},
}

func dtypeOf(descr string) (engine.DType, error) {
	for _, d := range dtypes {
		if d.descr == descr {
			return d.dtype, nil
		}
	}
	return 0, fmt.Errorf("%w: dtype: %.40q, want one of <f4 <i4 <i8 |i1 |u1", ErrFormat, descr)
}

// Parse reads a whole file. The tensor shares data's memory where it is aligned.
func Parse(data []byte) (*engine.Tensor, error) {
	h, start, err := readHeader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := h.fits(int64(len(data)) - start); err != nil {
		return nil, err
	}
	return wrap(h, data[start:len(data):len(data)])
}

// ReadFile reads a file of at most maxBytes bytes. What the header says is compared with the file's length before the data is read.
func ReadFile(path string, maxBytes int64) (t *engine.Tensor, err error) {
	f, err := os.Open(path) // #nosec G304 -- the user names the file
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%w: file: %d bytes, want a regular file of at most %d", ErrFormat, info.Size(), maxBytes)
	}
	h, start, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	if err := h.fits(info.Size() - start); err != nil {
		return nil, err
	}
	data := make([]byte, h.size)
	if _, err := f.ReadAt(data, start); err != nil {
		return nil, fmt.Errorf("%w: data: %w", ErrFormat, err)
	}
	return wrap(h, data)
}

func wrap(h header, data []byte) (*engine.Tensor, error) {
	t, err := engine.TensorFromBytes(h.dtype, h.shape, data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return t, nil
}

// readHeader reads what is before the data and tells how long that is.
func readHeader(r io.Reader) (header, int64, error) {
	var p [prefix]byte
	if _, err := io.ReadFull(r, p[:]); err != nil || string(p[:len(magic)]) != magic {
		return header{}, 0, fmt.Errorf("%w: not an NPY file: it does not begin with \\x93NUMPY and a version", ErrFormat)
	}
	major, minor := p[len(magic)], p[len(magic)+1]
	if major < 1 || major > 3 || minor != 0 {
		return header{}, 0, fmt.Errorf("%w: version: %d.%d, want 1.0, 2.0 or 3.0", ErrFormat, major, minor)
	}
	length, have := int64(binary.LittleEndian.Uint32(p[8:])), []byte(nil)
	start := int64(prefix)
	if major == 1 { // its length has two bytes, and two of the header are read already
		length, have, start = int64(binary.LittleEndian.Uint16(p[8:])), p[10:], 10
	}
	if length < int64(len(have)) || length > MaxHeaderBytes {
		return header{}, 0, fmt.Errorf("%w: header: %d bytes, want %d to %d", ErrFormat, length, len(have), MaxHeaderBytes)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text[copy(text, have):]); err != nil {
		return header{}, 0, fmt.Errorf("%w: header: %d bytes, the file ends inside it", ErrFormat, length)
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return header{}, 0, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	return h, start + length, nil
}

// Format gives the file of a tensor, version 1, as NumPy writes it: the data begins at a multiple of 64 bytes.
func Format(t *engine.Tensor) ([]byte, error) {
	head, err := formatHeader(t)
	if err != nil {
		return nil, err
	}
	return append(head, t.Bytes()...), nil
}

// Write writes the file of a tensor.
func Write(w io.Writer, t *engine.Tensor) error {
	head, err := formatHeader(t)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(t.Bytes())
	return err
}

// WriteFile writes the file of a tensor to a path; what was there is replaced.
func WriteFile(path string, t *engine.Tensor) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) // #nosec G302 G304 -- results are for everybody to read
	if err != nil {
		return err
	}
	return errors.Join(Write(f, t), f.Close())
}

func formatHeader(t *engine.Tensor) ([]byte, error) {
	descr := ""
	for _, d := range dtypes {
		if d.dtype == t.DType() {
			descr = d.descr
			break
		}
	}
	if descr == "" || len(t.Shape()) > MaxRank {
		return nil, fmt.Errorf("%w: %s: want an element type of the engine and rank 0 to %d", ErrFormat, t, MaxRank)
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, tuple(t.Shape()))
	const before = len(magic) + 4
	pad := align - (before+len(dict)+1)%align
	out := make([]byte, 0, before+len(dict)+pad+1)
	out = append(out, magic...)
	out = append(out, 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(dict)+pad+1)) // #nosec G115 -- at most 64 + 8·20 + 64
	out = append(out, dict...)
	out = append(out, bytes.Repeat([]byte{' '}, pad)...)
	return append(out, '\n'), nil
}
