package train

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"poaid/engine"
	"poaid/model"
)

// loadTokens reads a text, makes or takes the tokenizer, and splits the tokens: the last part of them is held back.
func loadTokens(spec *Spec, tok *model.Tokenizer) (*model.Tokenizer, []int32, []int32, error) {
	d := spec.Data
	raw, err := readData(spec.path(d.Path))
	if err != nil {
		return nil, nil, nil, err
	}
	text := string(raw)
	if !utf8.ValidString(text) || text == "" {
		return nil, nil, nil, fmt.Errorf("%w: data.path: %s: want text in UTF-8", ErrData, d.Path)
	}
	if tok == nil {
		if tok, err = makeTokenizer(spec, text); err != nil {
			return nil, nil, nil, fmt.Errorf("data.tokenizer: %w", err)
		}
	}
	docs := []string{text}
	if d.Separator != "" {
		docs = strings.Split(text, d.Separator)
	}
	var ids []int32
	for _, doc := range docs {
		if strings.TrimSpace(doc) != "" {
			ids = append(ids, tok.Encode(strings.TrimRight(doc, "\n"), true, false)...)
		}
	}
	cut := len(ids) - int(float64(len(ids))*d.HeldBack)
	return tok, ids[:cut:cut], ids[cut:], nil
}

func makeTokenizer(spec *Spec, text string) (*model.Tokenizer, error) {
	t := spec.Data.Tokenizer
	switch t.Kind {
	case "bpe":
		return model.TrainTokenizer(text, t.Vocab)
	case "file":
		raw, err := readFile(spec.path(t.Path), model.MaxTokenizerBytes)
		if err != nil {
			return nil, err
		}
		return model.ParseTokenizer(raw)
	default:
		return model.CharTokenizer(text)
	}
}

// tokenTensor checks that tokens are enough for windows of seq+1.
func tokenTensor(what string, ids []int32, seq int64) (*engine.Tensor, error) {
	if int64(len(ids)) <= seq {
		return nil, fmt.Errorf("%w: %s: %d tokens, want more than the context of %d", ErrData, what, len(ids), seq)
	}
	return engine.FromI32(ids, int64(len(ids)))
}
