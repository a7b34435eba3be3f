package submit

import (
	"context"
	"fmt"

	"poaid/model"
	"poaid/model/zoo"
)

// Tokenizer returns a tokenizer by content id: one that ships with poaid, or whatever get finds.
func Tokenizer(ctx context.Context, cid string, get func(ctx context.Context, cid string, limit int64) ([]byte, error)) (*model.Tokenizer, error) {
	story, err := zoo.Story()
	if err == nil && story.Tokenizer != nil && model.CIDOf(story.Tokenizer.Bytes()) == cid {
		return story.Tokenizer, nil
	}
	raw, err := get(ctx, cid, model.MaxTokenizerBytes)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	tok, err := model.ParseTokenizer(raw)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w", cid, err)
	}
	return tok, nil
}
