package train

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"poaid/engine"
)

// maxColumns bounds a line of a csv.
const maxColumns = 1 << 16

// parseCSV reads one sample a line: numbers, and among them the label's column, or the columns of targets. Labels that are not all
// whole numbers from 0 to 255 are names: classes are counted in their order as text.
func parseCSV(raw []byte, d DataSpec, targets bool) (*samples, error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	var values []float32
	var labels []string
	s := &samples{width: max(d.Targets, 1)}
	from, span := int64(0), int64(1)
	if targets {
		span = s.width
	}
	columns := int64(0)
	for line := 0; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if line == 0 {
			if columns = int64(len(row)); columns > maxColumns {
				return nil, fmt.Errorf("%d columns, limit %d", columns, maxColumns)
			}
			if from = *d.LabelColumn; from < 0 {
				from += columns
			}
			if from < 0 || from+span > columns || span >= columns {
				return nil, fmt.Errorf("label_column: %d and %d columns from there on, of %d", *d.LabelColumn, span, columns)
			}
			if d.Header {
				continue
			}
		}
		for j, field := range row {
			isLabel := int64(j) >= from && int64(j) < from+span
			if isLabel && !targets {
				labels = append(labels, strings.Clone(field))
				continue
			}
			v, err := strconv.ParseFloat(field, 32)
			if err != nil {
				return nil, fmt.Errorf("line %d, column %d: %.40q is not a number of float32", line+1, j, field)
			}
			if isLabel {
				s.targets = append(s.targets, float32(v))
			} else {
				values = append(values, float32(v))
			}
		}
	}
	n := int64(len(values)) / max(columns-span, 1)
	if n == 0 {
		return nil, errors.New("there are no samples")
	}
	if !targets {
		s.labels, s.names = nameLabels(labels)
		if s.labels == nil {
			return nil, fmt.Errorf("label_column: more than %d different labels", maxClasses)
		}
	}
	var err error
	s.x, err = csvTensor(values, d.Type, n, columns-span)
	return s, err
}

// csvTensor makes [n, width] of the numbers.
func csvTensor(v []float32, typ string, n, width int64) (*engine.Tensor, error) {
	if typ != "u8" {
		return engine.FromF32(v, n, width)
	}
	b := make([]uint8, len(v))
	for i, f := range v {
		if !(f >= 0 && f <= 255) || f != float32(uint8(f)) {
			return nil, fmt.Errorf("sample %d: %v is not a whole number of 0 to 255, as type u8 wants", int64(i)/width+1, f)
		}
		b[i] = uint8(f)
	}
	return engine.FromU8(b, n, width)
}

// nameLabels gives classes of labels, and their names where they are not whole numbers; nil where there are too many.
func nameLabels(labels []string) (classes []uint8, names []string) {
	classes = make([]uint8, len(labels))
	whole := true
	for i, l := range labels {
		v, err := strconv.ParseUint(l, 10, 8)
		if err != nil {
			whole = false
			break
		}
		classes[i] = uint8(v)
	}
	if whole {
		return classes, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(labels)))
	if len(names) > maxClasses {
		return nil, nil
	}
	for i, l := range labels {
		k, _ := slices.BinarySearch(names, l)
		classes[i] = uint8(k)
	}
	return classes, names
}
