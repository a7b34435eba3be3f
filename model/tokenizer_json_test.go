package model

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Folders and files of tokenizer tests. envTokenizers lists real tokenizer.json files, separated by colons; envModules names a folder
// where the Hugging Face library is installed (see scripts/tokenizer-reference.mjs). Without them, own small vocabularies are tested.
const (
	tokenizers    = "testdata/tokenizers"
	envTokenizers = "POAI_TOKENIZERS"
	envModules    = "POAI_NODE_MODULES"
)

func readJSON(t testing.TB, path string, to any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, to))
}

func jsonTokenizer(t testing.TB, name string) *Tokenizer {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(tokenizers, name+".json"))
	require.NoError(t, err)
	tok, err := ParseTokenizer(raw)
	require.NoError(t, err)
	return tok
}

// TestTokenizerJSON compares with ids that the Hugging Face tokenizers library gave.
func TestTokenizerJSON(t *testing.T) {
	var texts []string
	readJSON(t, tokenizers+"/texts.json", &texts)
	want := map[string][][]int32{}
	readJSON(t, tokenizers+"/expected.json", &want)
	for name, list := range want {
		tok := jsonTokenizer(t, name)
		require.Len(t, list, len(texts))
		for i, text := range texts {
			got := tok.Encode(text, true, true)
			require.Equal(t, append([]int32{}, list[i]...), append([]int32{}, got...), "%s: %q", name, text)
		}
	}
}

// TestRealTokenizers compares real vocabularies, where they and the library are there.
func TestRealTokenizers(t *testing.T) {
	if os.Getenv(envTokenizers) == "" || os.Getenv(envModules) == "" {
		t.Skip(envTokenizers + " and " + envModules + " do not name real tokenizers and their library")
	}
	var texts []string
	readJSON(t, tokenizers+"/texts.json", &texts)
	for _, path := range strings.Split(os.Getenv(envTokenizers), ":") {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		tok, err := ParseTokenizer(raw)
		require.NoError(t, err, path)
		out, err := exec.Command("node", "../scripts/tokenizer-reference.mjs", path, tokenizers+"/texts.json").Output()
		require.NoError(t, err)
		var want [][]int32
		require.NoError(t, json.Unmarshal(out, &want))
		for i, text := range texts {
			require.Equal(t, append([]int32{}, want[i]...), append([]int32{}, tok.Encode(text, true, true)...), "%s: %q", path, text)
		}
	}
}

// TestTokenizerJSONRoundTrip: decoding gives the text back, but for what normalisation changes and special tokens.
func TestTokenizerJSONRoundTrip(t *testing.T) {
	gpt2, spaces := jsonTokenizer(t, "gpt2"), jsonTokenizer(t, "spaces")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if !utf8.ValidString(text) || strings.ContainsAny(text, "<▁") {
			t.Skip("not text, or it may hold a special token or the mark of a space")
		}
		want := text
		if text != "" && text[0] != ' ' {
			want = " " + text // it adds a space
		}
		require.Equal(t, want, gpt2.Decode(gpt2.Encode(text, true, false)))
		require.Equal(t, text, spaces.Decode(spaces.Encode(text, true, false)))
	})
}

func TestTokenizerJSONTokens(t *testing.T) {
	tok := jsonTokenizer(t, "bytes")
	begin, ok := tok.BOS()
	require.True(t, ok)
	id, ok := tok.TokenID("<|begin|>")
	require.True(t, ok)
	require.Equal(t, id, begin)
	require.Equal(t, "tokenizer.json", tok.File())
	require.Empty(t, tok.Piece(-1, begin), "specials are nothing")
	tool, _ := tok.TokenID("<tool>")
	require.Equal(t, "<tool>", string(tok.Piece(begin, tool)), "added text is text")
	require.Empty(t, tok.Piece(0, int32(tok.VocabSize())))
	require.Empty(t, tok.Piece(0, -1))
	require.Len(t, tok.Pieces(), tok.VocabSize())
	require.Equal(t, "日", tok.Decode(tok.Encode("日", false, false)))
	require.Equal(t, "�", tok.Decode(tok.Encode("日", false, false)[:1]))

	_, ok = jsonTokenizer(t, "gpt2").BOS()
	require.False(t, ok)
	sp := jsonTokenizer(t, "spaces")
	one := sp.Encode("The", false, false)
	require.Equal(t, " The", sp.Decode(one), "a continuation keeps its space")
	require.Equal(t, "The", sp.Decode(append([]int32{1}, one...)))
	again, err := ParseTokenizer(sp.Bytes())
	require.NoError(t, err)
	require.Equal(t, sp.Bytes(), again.Bytes())
}

func TestTokenizerJSONRefuses(t *testing.T) {
	base := map[string]any{}
	readJSON(t, tokenizers+"/bytes.json", &base)
	with := func(path string, v any) []byte {
		var m map[string]any
		raw, err := json.Marshal(base)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &m))
		at, keys := m, strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			at = at[k].(map[string]any)
		}
		at[keys[len(keys)-1]] = v
		raw, err = json.Marshal(m)
		require.NoError(t, err)
		return raw
	}
	for _, c := range []struct {
		want string
		raw  []byte
	}{
		{"model.type", with("model.type", "Unigram")},
		{"model.dropout", with("model.dropout", 0.1)},
		{"end_of_word_suffix", with("model.end_of_word_suffix", "</w>")},
		{"model.vocab: 0", with("model.vocab", map[string]any{})},
		{"id -1", with("model.vocab", map[string]any{"a": -1})},
		{"id 1099511627776", with("model.vocab", map[string]any{"a": 1 << 40})},
		{"is both", with("model.vocab", map[string]any{"a": 1, "b": 1})},
		{"unk_token", with("model.unk_token", "nope")},
		{"model.merges[0]", with("model.merges", []any{"a b c"})},
		{"model.merges[0]", with("model.merges", []any{[]any{"a"}})},
		{"model.merges[0]: \"no", with("model.merges", []any{"no such"})},
		{"model.merges[0]", with("model.merges", []any{7})},
		{`normalizer: type "Odd"`, with("normalizer", map[string]any{"type": "Odd"})},
		{"type Replace: a pattern", with("normalizer", map[string]any{"type": "Replace", "pattern": map[string]any{"Regex": "x"}})},
		{`pre_tokenizer: type "BertPreTokenizer"`, with("pre_tokenizer", map[string]any{"type": "BertPreTokenizer"})},
		{"behavior", with("pre_tokenizer", map[string]any{"type": "Split", "pattern": map[string]any{"Regex": "x"}, "behavior": "MergedWithNext"})},
		{"pattern", with("pre_tokenizer", map[string]any{"type": "Split", "pattern": map[string]any{"Regex": "(("}, "behavior": "Isolated"})},
		{"without a pattern", with("pre_tokenizer", map[string]any{"type": "Split", "behavior": "Isolated"})},
		{"replacement", with("pre_tokenizer", map[string]any{"type": "Metaspace", "replacement": "ab"})},
		{"post_processor: type", with("post_processor", map[string]any{"type": "BertProcessing"})},
		{"is not a token", with("post_processor", map[string]any{
			"type": "TemplateProcessing", "single": []any{map[string]any{"SpecialToken": map[string]any{"id": "s"}}},
			"special_tokens": map[string]any{"s": map[string]any{"ids": []any{1 << 30}}},
		})},
		{"decoder: type", with("decoder", map[string]any{"type": "CTC"})},
		{"single_word", with("added_tokens", []any{map[string]any{"id": 1, "content": "x", "single_word": true}})},
		{"of 0 bytes", with("added_tokens", []any{map[string]any{"id": 1000, "content": ""}})},
		{"cannot unmarshal", with("model", 3)},
		{"invalid tokenizer", []byte("{")},
	} {
		_, err := ParseTokenizer(c.raw)
		require.ErrorIs(t, err, ErrTokenizer, c.want)
		require.ErrorContains(t, err, c.want)
	}
}

// FuzzTokenizerJSON: any bytes give a tokenizer or an error, and a tokenizer encodes anything into ids that it has.
func FuzzTokenizerJSON(f *testing.F) {
	for _, name := range []string{"bytes", "gpt2", "spaces", "metaspace"} {
		raw, err := os.ReadFile(filepath.Join(tokenizers, name+".json"))
		require.NoError(f, err)
		f.Add(raw, "The step's 12 <pad> 日本\n\n 🤖")
	}
	f.Add([]byte(`{"model":{"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},"pre_tokenizer":{"type":"Digits","individual_digits":true}}`), "ab1ab22ba")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		if len(raw) > 1<<15 || len(text) > 1<<10 {
			return
		}
		tok, err := ParseTokenizerJSON(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrTokenizer)
			return
		}
		prev := int32(-1)
		for _, id := range tok.Encode(text, true, true) {
			require.GreaterOrEqual(t, id, int32(0))
			require.Less(t, int(id), tok.VocabSize())
			_ = tok.Piece(prev, id)
			prev = id
		}
	})
}
