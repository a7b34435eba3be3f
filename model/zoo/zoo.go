// Package zoo holds two small models that ship with poaid, trained by its own engine from public data, ready to register and run:
//
//	digits  reads a handwritten digit from 8×8 pixels (a CNN of 14 thousand parameters)
//	story   continues a fairy tale (a llama of 0.8 million parameters, vocabulary 1024, context 256)
//
// Their packages, sample pictures and prompts are embedded. The data and its licences lie under data, how they were trained in recipe,
// and `go run ./model/zoo/train -check` trains them again and compares, bit for bit.
package zoo

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"poaid/model"
)

//go:embed digits story samples story
var files embed.FS

var (
	digits = sync.OnceValues(func() (*model.Package, error) { return load("digits") })
	story  = sync.OnceValues(func() (*model.Package, error) { return load("story") })
)

// Digits gives the classifier of handwritten digits. Input: pixels u8 [1,8,8], 0 (paper) to 16 (ink), see DigitsInput; one step;
// outputs: label i64[1] and scores f32[10]. The package is shared: callers must not change it.
func Digits() (*model.Package, error) { return digits() }

// Story gives the teller of fairy tales, a program of nn.Llama. Input: prompt i64 [1…256], the tokens of
// Tokenizer.Encode(text, true, false), and what sampling wants; outputs: tokens, logprobs and count. The package is shared: callers must
// not change it.
func Story() (*model.Package, error) { return story() }

func load(name string) (*model.Package, error) {
	dir, err := fs.Sub(files, name)
	if err != nil {
		return nil, err
	}
	p, err := model.LoadFS(dir)
	if err != nil {
		return nil, fmt.Errorf("zoo %s: %w", name, err)
	}
	return p, nil
}

// Sample is a picture of a digit that was held back from training.
type Sample struct {
	Name  string
	Label int
	PNG   []byte
}

// Samples gives a picture of each digit from 0 to 9.
func Samples() ([]Sample, error) {
	out := make([]Sample, 10)
	for i := range out {
		name := fmt.Sprintf("digit_%d.png", i)
		raw, err := files.ReadFile("samples/" + name)
		if err != nil {
			return nil, fmt.Errorf("zoo samples: %w", err)
		}
		out[i] = Sample{Name: name, Label: i, PNG: raw}
	}
	return out, nil
}

// Prompts gives beginnings for the story model.
func Prompts() []string {
	return []string{
		"Once upon a time there was a king who had three daughters",
		"There was once a poor woodcutter who lived",
		"The old witch said to the girl,",
		"In the middle of the forest stood a little house",
		"The youngest son set out into the wide world, and",
	}
}
