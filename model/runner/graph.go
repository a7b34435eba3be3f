package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cosmos/gogoproto/jsonpb"
	"github.com/cosmos/gogoproto/proto"

	"poaid/engine"
	"poaid/engine/graphpb"
)

// Limits of a graph file. What is declared in it is bounded by engine.Limits on top.
const (
	// MaxGraphBytes bounds the text.
	MaxGraphBytes = 4 << 20
	// MaxGraphMessages bounds how many messages (nodes, references, dimensions, …) the text may have: the shortest takes two bytes of
	// text and a hundred of memory.
	MaxGraphMessages = 1 << 18
)

// ErrGraph is wrapped by every error about a graph file.
var ErrGraph = errors.New("invalid graph file")

// Endings of graph files.
const (
	extJSON = ".json"
	extText = ".textproto"
	extPB   = ".pb"
)

// IsGraphFile tells by its ending whether a path names a graph file.
func IsGraphFile(path string) bool {
	switch filepath.Ext(path) {
	case extJSON, extText, extPB:
		return true
	}
	return false
}

// ParseGraph reads a program from a file: JSON (field names as in the proto or in camel case, 64-bit integers as numbers or strings,
// bytes in base64), text format, or the canonical encoding, by the ending of the file's name. Unknown and repeated fields are refused.
func ParseGraph(name string, data []byte) (*engine.Program, error) {
	if len(data) > MaxGraphBytes {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrGraph, len(data), MaxGraphBytes)
	}
	var pb graphpb.Program
	var err error
	switch ext := filepath.Ext(name); ext {
	case extJSON:
		if err = checkJSON(data); err == nil {
			err = jsonpb.Unmarshal(bytes.NewReader(data), &pb)
		}
	case extText:
		if n := bytes.Count(data, []byte("{")) + bytes.Count(data, []byte("<")); n > MaxGraphMessages {
			err = fmt.Errorf("%d messages, limit %d", n, MaxGraphMessages)
		} else {
			err = proto.UnmarshalText(string(data), &pb)
		}
	case extPB:
		prog, err := engine.Decode(data, engine.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrGraph, err)
		}
		return prog, nil
	default:
		err = fmt.Errorf("name: ends in %.20q, want %s, %s or %s", ext, extJSON, extText, extPB)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGraph, err)
	}
	prog, err := engine.New(&pb, engine.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGraph, err)
	}
	return prog, nil
}

// checkJSON wants one value without repeated names, which decoders take the last of, and not too many objects.
func checkJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	objects := 0
	if err := checkValue(dec, &objects, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more after the program")
	}
	return nil
}

// maxDepth is more than a program nests.
const maxDepth = 16

func checkValue(dec *json.Decoder, objects *int, depth int) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	open, nested := tok.(json.Delim)
	if !nested {
		return nil
	}
	if depth++; depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if *objects++; *objects > MaxGraphMessages {
		return fmt.Errorf("more than %d messages and lists", MaxGraphMessages)
	}
	names := map[string]bool{}
	for dec.More() {
		if open == '{' {
			tok, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ := tok.(string) // the decoder takes nothing else there
			if names[name] {
				return fmt.Errorf("%.60q is there twice", name)
			}
			names[name] = true
		}
		if err := checkValue(dec, objects, depth); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}
