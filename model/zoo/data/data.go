// Package data holds what the models of the zoo were trained on, with its licences: see digits/README.md and tales/README.md.
// It is imported by the trainers and their tests, not by the zoo itself, so that programs which only run the models stay small.
package data

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

//go:embed digits/digits.csv.gz
var digitsCSV []byte

//go:embed tales/tales.txt.gz
var talesText []byte

// DigitPixels is the number of pixels of a digit, 8×8.
const DigitPixels = 64

// Digit is one handwritten digit.
type Digit struct {
	// Pixels are row by row, 0 (paper) to 16 (ink).
	Pixels [DigitPixels]uint8
	Label  uint8
}

// Digits gives the 1797 digits in file order.
func Digits() ([]Digit, error) {
	raw, err := unzip(digitsCSV)
	if err != nil {
		return nil, fmt.Errorf("digits: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("digits: %w", err)
	}
	out := make([]Digit, len(rows))
	for i, row := range rows {
		if len(row) != DigitPixels+1 {
			return nil, fmt.Errorf("digits: line %d: %d fields, want %d", i+1, len(row), DigitPixels+1)
		}
		for j, field := range row {
			v, err := strconv.ParseUint(field, 10, 8)
			if err != nil {
				return nil, fmt.Errorf("digits: line %d: %w", i+1, err)
			}
			switch {
			case j < DigitPixels && v <= 16:
				out[i].Pixels[j] = uint8(v)
			case j == DigitPixels && v <= 9:
				out[i].Label = uint8(v)
			default:
				return nil, fmt.Errorf("digits: line %d: field %d is %d", i+1, j+1, v)
			}
		}
	}
	return out, nil
}

// Tales gives the fairy tales: one paragraph a line, an empty line between tales.
func Tales() (string, error) {
	raw, err := unzip(talesText)
	if err != nil {
		return "", fmt.Errorf("tales: %w", err)
	}
	return string(raw), nil
}

// SplitDigits deals the digits into a training set and a held-back quarter (450), by a fixed permutation.
func SplitDigits(all []Digit) (train, held []Digit) {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	state := uint64(1998)
	for i := len(order) - 1; i > 0; i-- { // Fisher-Yates over splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		j := int((z ^ z>>31) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	cut := len(all) - (len(all)+3)/4
	for i, k := range order {
		if i < cut {
			train = append(train, all[k])
		} else {
			held = append(held, all[k])
		}
	}
	return train, held
}

func unzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
