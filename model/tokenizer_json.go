package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"golang.org/x/text/unicode/norm"
)

// Limits of a tokenizer.json.
const (
	maxMerges   = 1 << 21
	maxPattern  = 1 << 12
	maxStages   = 16
	splitBudget = 5 * time.Second // of one text and pattern
)

// gpt2Pattern is the pattern that a byte-level pre-tokenizer uses when it names none (Radford et al. 2019).
const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// tokenizerJSON is the file. Stages are read by their type.
type tokenizerJSON struct {
	AddedTokens   []addedJSON     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         struct {
		Type         string            `json:"type"`
		Dropout      *float64          `json:"dropout"`
		Unknown      *string           `json:"unk_token"`
		Prefix       *string           `json:"continuing_subword_prefix"`
		Suffix       *string           `json:"end_of_word_suffix"`
		FuseUnknown  bool              `json:"fuse_unk"`
		ByteFallback bool              `json:"byte_fallback"`
		IgnoreMerges bool              `json:"ignore_merges"`
		Vocab        map[string]int64  `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
	} `json:"model"`
}

type addedJSON struct {
	ID         int64  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// stageJSON is a normalizer, pre-tokenizer, post-processor or decoder: the fields of all that are known.
type stageJSON struct {
	Type             string            `json:"type"`
	Normalizers      []json.RawMessage `json:"normalizers"`
	PreTokenizers    []json.RawMessage `json:"pretokenizers"`
	Processors       []json.RawMessage `json:"processors"`
	Decoders         []json.RawMessage `json:"decoders"`
	Prepend          string            `json:"prepend"`
	Content          string            `json:"content"`
	Start            int               `json:"start"`
	Stop             int               `json:"stop"`
	Behavior         string            `json:"behavior"`
	Invert           bool              `json:"invert"`
	AddPrefixSpace   *bool             `json:"add_prefix_space"`
	PrependScheme    string            `json:"prepend_scheme"`
	Replacement      string            `json:"replacement"`
	Split            *bool             `json:"split"`
	UseRegex         *bool             `json:"use_regex"`
	IndividualDigits bool              `json:"individual_digits"`
	Pattern          struct {
		String *string `json:"String"`
		Regex  *string `json:"Regex"`
	} `json:"pattern"`
	Single        []map[string]templateJSON `json:"single"`
	SpecialTokens map[string]struct {
		IDs []int64 `json:"ids"`
	} `json:"special_tokens"`
}

type templateJSON struct {
	ID string `json:"id"`
}

// ParseTokenizerJSON reads a tokenizer.json of the Hugging Face tokenizers library with a BPE model: byte-level ones (GPT-2, Llama 3,
// Qwen) and those that spell a space as a character and fall back to bytes (Llama 2, Mistral). Stages that are not known are refused by
// name. Text is recognised as added tokens, also special ones, as that library does.
func ParseTokenizerJSON(data []byte) (*Tokenizer, error) {
	if len(data) > MaxTokenizerBytes {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTokenizer, len(data), MaxTokenizerBytes)
	}
	var j tokenizerJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	t := &bpe{raw: data, unknown: -1, special: map[int32]bool{}}
	for _, step := range []func(*tokenizerJSON) error{t.readModel, t.readMerges, t.readAdded, t.readStages} {
		if err := step(&j); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
		}
	}
	return &Tokenizer{bpe: t}, nil
}

func (t *bpe) readModel(j *tokenizerJSON) error {
	m := &j.Model
	switch {
	case m.Type != "BPE" && m.Type != "":
		return fmt.Errorf("model.type: %.40q, want BPE", m.Type)
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model.dropout: %g, want 0", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "", m.Suffix != nil && *m.Suffix != "":
		return errors.New("model: continuing_subword_prefix and end_of_word_suffix are not supported")
	case len(m.Vocab) == 0 || len(m.Vocab) > MaxVocab:
		return fmt.Errorf("model.vocab: %d tokens, want 1 to %d", len(m.Vocab), MaxVocab)
	}
	t.vocab = make(map[string]int32, len(m.Vocab))
	for piece, id := range m.Vocab {
		if err := t.put("model.vocab", piece, id); err != nil {
			return err
		}
		t.vocab[piece] = int32(id)
	}
	t.byteFallback, t.fuseUnknown, t.ignoreMerges = m.ByteFallback, m.FuseUnknown, m.IgnoreMerges
	if m.Unknown != nil && *m.Unknown != "" {
		id, ok := t.vocab[*m.Unknown]
		if !ok {
			return fmt.Errorf("model.unk_token: %.40q is not in the vocabulary", *m.Unknown)
		}
		t.unknown = id
	}
	return nil
}

// put names a token.
func (t *bpe) put(field, piece string, id int64) error {
	if id < 0 || id >= MaxVocab {
		return fmt.Errorf("%s: id %d of %.40q, want 0 to %d", field, id, piece, MaxVocab-1)
	}
	if piece == "" || len(piece) > MaxPieceBytes || !utf8.ValidString(piece) {
		return fmt.Errorf("%s: token %d of %d bytes, want 1 to %d of UTF-8", field, id, len(piece), MaxPieceBytes)
	}
	for int64(len(t.tokens)) <= id {
		t.tokens = append(t.tokens, "")
	}
	if t.tokens[id] != "" && t.tokens[id] != piece {
		return fmt.Errorf("%s: id %d is both %.40q and %.40q", field, id, t.tokens[id], piece)
	}
	t.tokens[id] = piece
	return nil
}

// readMerges reads "a b" or ["a", "b"].
func (t *bpe) readMerges(j *tokenizerJSON) error {
	list := j.Model.Merges
	if len(list) > maxMerges {
		return fmt.Errorf("model.merges: %d, limit %d", len(list), maxMerges)
	}
	t.merges = make(map[[2]int32]merge, len(list))
	for i, raw := range list {
		var both [2]string
		if raw[0] == '"' {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return fmt.Errorf("model.merges[%d]: %w", i, err)
			}
			left, right, ok := strings.Cut(s, " ")
			if !ok || strings.Contains(right, " ") {
				return fmt.Errorf("model.merges[%d]: %.60q, want two pieces", i, s)
			}
			both = [2]string{left, right}
		} else {
			var list []string
			if err := json.Unmarshal(raw, &list); err != nil || len(list) != 2 {
				return fmt.Errorf("model.merges[%d]: want two pieces", i)
			}
			both = [2]string(list)
		}
		var ids [2]int32
		for k, p := range both {
			id, ok := t.vocab[p]
			if !ok {
				return fmt.Errorf("model.merges[%d]: %.60q is not in the vocabulary", i, p)
			}
			ids[k] = id
		}
		into, ok := t.vocab[both[0]+both[1]]
		if !ok {
			return fmt.Errorf("model.merges[%d]: %.60q is not in the vocabulary", i, both[0]+both[1])
		}
		if _, twice := t.merges[ids]; !twice {
			t.merges[ids] = merge{rank: int32(i), into: into}
		}
	}
	return nil
}

func (t *bpe) readAdded(j *tokenizerJSON) error {
	if len(j.AddedTokens) > MaxVocab {
		return fmt.Errorf("added_tokens: %d, limit %d", len(j.AddedTokens), MaxVocab)
	}
	for i, a := range j.AddedTokens {
		field := fmt.Sprintf("added_tokens[%d]", i)
		if a.SingleWord {
			return fmt.Errorf("%s: single_word is not supported", field)
		}
		if err := t.put(field, a.Content, a.ID); err != nil {
			return err
		}
		if a.Special {
			t.special[int32(a.ID)] = true
		}
		t.added = append(t.added, addedToken{
			text: a.Content, id: int32(a.ID), special: a.Special, lstrip: a.LStrip, rstrip: a.RStrip, normalized: a.Normalized,
		})
	}
	sort.SliceStable(t.added, func(a, b int) bool { return len(t.added[a].text) > len(t.added[b].text) })
	return nil
}

func (t *bpe) readStages(j *tokenizerJSON) error {
	for _, s := range []struct {
		field string
		raw   json.RawMessage
		read  func(s *stageJSON) error
	}{
		{"normalizer", j.Normalizer, t.normalizer},
		{"pre_tokenizer", j.PreTokenizer, t.preTokenizer},
		{"post_processor", j.PostProcessor, t.postProcessor},
		{"decoder", j.Decoder, t.decoder},
	} {
		if err := eachStage(s.raw, 0, s.read); err != nil {
			return fmt.Errorf("%s: %w", s.field, err)
		}
	}
	return nil
}

// eachStage reads a stage, or all of a sequence.
func eachStage(raw json.RawMessage, depth int, read func(s *stageJSON) error) error {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	var s stageJSON
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if s.Type != "Sequence" {
		return read(&s)
	}
	for _, list := range [][]json.RawMessage{s.Normalizers, s.PreTokenizers, s.Processors, s.Decoders} {
		if len(list) > maxStages || depth > 2 {
			return fmt.Errorf("more than %d stages, or nested too deep", maxStages)
		}
		for _, raw := range list {
			if err := eachStage(raw, depth+1, read); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *bpe) normalizer(s *stageJSON) error {
	switch s.Type {
	case "NFC":
		t.normal = append(t.normal, norm.NFC.String)
	case "NFKC":
		t.normal = append(t.normal, norm.NFKC.String)
	case "NFD":
		t.normal = append(t.normal, norm.NFD.String)
	case "Lowercase":
		t.normal = append(t.normal, strings.ToLower)
	case "Prepend":
		t.normal = append(t.normal, func(text string) string { return s.Prepend + text })
	case "Replace":
		if s.Pattern.String == nil || *s.Pattern.String == "" {
			return errors.New("type Replace: a pattern is not supported")
		}
		t.normal = append(t.normal, func(text string) string { return strings.ReplaceAll(text, *s.Pattern.String, s.Content) })
	default:
		return fmt.Errorf("type %.40q is not supported", s.Type)
	}
	return nil
}

func (t *bpe) preTokenizer(s *stageJSON) error {
	if len(t.cut) > maxStages {
		return fmt.Errorf("more than %d stages", maxStages)
	}
	switch s.Type {
	case "Split":
		return t.splitStage(s)
	case "Digits":
		pattern := `\p{N}+`
		if s.IndividualDigits {
			pattern = `\p{N}`
		}
		return t.pattern(pattern)
	case "ByteLevel":
		return t.byteLevelStage(s)
	case "Metaspace":
		return t.metaspace(s)
	}
	return fmt.Errorf("type %.40q is not supported", s.Type)
}

func (t *bpe) splitStage(s *stageJSON) error {
	if s.Behavior != "Isolated" && (s.Behavior != "Removed" || !s.Invert) {
		return fmt.Errorf("type Split: behavior %.40q, invert %v is not supported", s.Behavior, s.Invert)
	}
	switch {
	case s.Pattern.Regex != nil:
		return t.pattern(*s.Pattern.Regex)
	case s.Pattern.String != nil:
		return t.pattern(regexp2.Escape(*s.Pattern.String))
	}
	return errors.New("type Split: without a pattern")
}

// pattern cuts words into matches and what lies between them. A text that takes too long stays whole from there on: the pattern is
// part of the model, and the tokens are still those of the text.
func (t *bpe) pattern(text string) error {
	if text == "" || len(text) > maxPattern {
		return fmt.Errorf("pattern of %d bytes, want 1 to %d", len(text), maxPattern)
	}
	re, err := regexp2.Compile(text, regexp2.None)
	if err != nil {
		return fmt.Errorf("pattern %.100q: %w", text, err)
	}
	re.MatchTimeout = splitBudget
	t.cut = append(t.cut, func(words []string, _ bool) []string {
		var out []string
		for _, w := range words {
			out = append(out, splitWord(re, w)...)
		}
		return out
	})
	return nil
}

func splitWord(re *regexp2.Regexp, w string) (out []string) {
	runes := []rune(w) // regexp2 counts in runes
	at := 0
	m, err := re.FindRunesMatch(runes)
	for err == nil && m != nil {
		if m.Index > at {
			out = append(out, string(runes[at:m.Index]))
		}
		if m.Length > 0 {
			out = append(out, string(runes[m.Index:m.Index+m.Length]))
		}
		at = m.Index + m.Length
		m, err = re.FindNextMatch(m)
	}
	if at < len(runes) {
		out = append(out, string(runes[at:]))
	}
	return out
}

func (t *bpe) byteLevelStage(s *stageJSON) error {
	t.byteLevel = true
	if s.AddPrefixSpace == nil || *s.AddPrefixSpace {
		t.cut = append(t.cut, func(words []string, _ bool) []string {
			for i, w := range words {
				if w != "" && w[0] != ' ' {
					words[i] = " " + w
				}
			}
			return words
		})
	}
	if s.UseRegex == nil || *s.UseRegex {
		if err := t.pattern(gpt2Pattern); err != nil {
			return err
		}
	}
	t.cut = append(t.cut, func(words []string, _ bool) []string {
		for i, w := range words {
			var b strings.Builder
			for j := range len(w) {
				b.WriteRune(byteRunes[w[j]])
			}
			words[i] = b.String()
		}
		return words
	})
	return nil
}

// metaspace spells spaces as a character and cuts before it.
func (t *bpe) metaspace(s *stageJSON) error {
	mark := s.Replacement
	if utf8.RuneCountInString(mark) != 1 {
		return fmt.Errorf("type Metaspace: replacement: %.40q, want one character", mark)
	}
	scheme := s.PrependScheme
	if scheme == "" {
		scheme = "always"
		if s.AddPrefixSpace != nil && !*s.AddPrefixSpace {
			scheme = "never"
		}
	}
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return fmt.Errorf("type Metaspace: prepend_scheme: %.40q", scheme)
	}
	cut := s.Split == nil || *s.Split
	t.space = mark
	t.cut = append(t.cut, func(words []string, first bool) []string {
		var out []string
		for i, w := range words {
			w = strings.ReplaceAll(w, " ", mark)
			if !strings.HasPrefix(w, mark) && (scheme == "always" || scheme == "first" && first && i == 0) {
				w = mark + w
			}
			if !cut {
				out = append(out, w)
				continue
			}
			for len(w) > 0 {
				end := strings.Index(w[1:], mark) // a mark at the beginning stays with what follows
				if end < 0 {
					end = len(w) - 1
				}
				out, w = append(out, w[:end+1]), w[end+1:]
			}
		}
		return out
	})
	return nil
}

func (t *bpe) postProcessor(s *stageJSON) error {
	switch s.Type {
	case "ByteLevel": // offsets only
		return nil
	case "TemplateProcessing":
	default:
		return fmt.Errorf("type %.40q is not supported", s.Type)
	}
	text := false
	for i, part := range s.Single {
		if _, ok := part["Sequence"]; ok {
			text = true
			continue
		}
		special, ok := part["SpecialToken"]
		if !ok || len(part) != 1 {
			return fmt.Errorf("single[%d]: want Sequence or SpecialToken", i)
		}
		for _, id := range s.SpecialTokens[special.ID].IDs {
			if id < 0 || id >= int64(len(t.tokens)) || t.tokens[id] == "" {
				return fmt.Errorf("special_tokens: id %d of %.40q is not a token", id, special.ID)
			}
			if text {
				t.after = append(t.after, int32(id))
			} else {
				t.before = append(t.before, int32(id))
			}
		}
	}
	return nil
}

func (t *bpe) decoder(s *stageJSON) error {
	switch s.Type {
	case "ByteLevel":
		t.byteLevel = true
	case "Metaspace":
		t.space, t.dropSpace = s.Replacement, s.PrependScheme != "never"
	case "Replace":
		if s.Pattern.String == nil || s.Content != " " {
			return errors.New("type Replace: want a character by a space")
		}
		t.space = *s.Pattern.String
	case "Strip":
		if s.Content != " " || s.Start > 1 || s.Stop != 0 {
			return errors.New("type Strip: want one space at the start")
		}
		t.dropSpace = s.Start == 1
	case "ByteFallback", "Fuse":
	default:
		return fmt.Errorf("type %.40q is not supported", s.Type)
	}
	return nil
}
