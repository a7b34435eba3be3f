package model

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Ids that every tokenizer of this format has.
const (
	TokenUnknown int32 = 0
	TokenBOS     int32 = 1 // begins a text
	TokenEOS     int32 = 2 // ends a text
	tokenByte0   int32 = 3 // 3…258 are the bytes 0x00…0xff
	firstPiece   int32 = 259
	noToken      int32 = -1 // before the first
)

// Limits of a tokenizer file.
const (
	MaxVocab      = 1 << 20
	MaxPieceBytes = 1 << 10
)

// ErrTokenizer is wrapped by every error about a tokenizer file.
var ErrTokenizer = errors.New("invalid tokenizer")

// Tokenizer is a byte-pair vocabulary: in the format of llama2.c, pieces with scores, merged greedily by score, with a byte fallback
// and a dummy space before a text; or that of a tokenizer.json. It is immutable and safe for concurrent use.
type Tokenizer struct {
	bpe    *bpe // of a tokenizer.json; the rest is empty then
	pieces []string
	scores []float32
	index  map[string]int32 // pieces that text can become: not the specials, not the byte tokens
	maxLen int
}

// ParseTokenizer reads a tokenizer.json (see ParseTokenizerJSON), which begins with a brace, or a tokenizer.bin: i32 longest piece, then for each token f32 score, i32 length and the bytes. Tokens 0 to 2 are
// unknown, begin and end, whatever their text; tokens 3 to 258 must be "<0x00>" to "<0xFF>". If two tokens have the same text the
// first is used.
func ParseTokenizer(data []byte) (*Tokenizer, error) {
	if len(data) < 4 {
		return nil, fmt.Errorf("%w: header: %d bytes, want 4", ErrTokenizer, len(data))
	}
	if isJSON(data) {
		return ParseTokenizerJSON(data)
	}
	longest := int32(binary.LittleEndian.Uint32(data))
	if longest < 1 || longest > MaxPieceBytes {
		return nil, fmt.Errorf("%w: longest piece: %d, want 1 to %d", ErrTokenizer, longest, MaxPieceBytes)
	}
	var pieces []string
	var scores []float32
	for data = data[4:]; len(data) > 0; {
		i := len(pieces)
		if i == MaxVocab {
			return nil, fmt.Errorf("%w: more than %d tokens", ErrTokenizer, MaxVocab)
		}
		if len(data) < 8 {
			return nil, fmt.Errorf("%w: token %d: file ends inside it", ErrTokenizer, i)
		}
		score := math.Float32frombits(binary.LittleEndian.Uint32(data))
		n := int64(int32(binary.LittleEndian.Uint32(data[4:])))
		if n < 0 || n > int64(longest) {
			return nil, fmt.Errorf("%w: token %d: length %d, limit %d", ErrTokenizer, i, n, longest)
		}
		if int64(len(data)-8) < n {
			return nil, fmt.Errorf("%w: token %d: file ends inside it", ErrTokenizer, i)
		}
		pieces, scores = append(pieces, string(data[8:8+n])), append(scores, score)
		data = data[8+n:]
	}
	return newTokenizer(pieces, scores, int(longest))
}

func newTokenizer(pieces []string, scores []float32, longest int) (*Tokenizer, error) {
	if len(pieces) < int(firstPiece) {
		return nil, fmt.Errorf("%w: %d tokens, want at least %d", ErrTokenizer, len(pieces), firstPiece)
	}
	t := &Tokenizer{pieces: pieces, scores: scores, maxLen: longest, index: make(map[string]int32, len(pieces))}
	for i, p := range pieces {
		if s := float64(scores[i]); math.IsNaN(s) || math.IsInf(s, 0) {
			return nil, fmt.Errorf("%w: token %d: score is not finite", ErrTokenizer, i)
		}
		id := int32(i)
		if id >= tokenByte0 && id < firstPiece {
			if want := fmt.Sprintf("<0x%02X>", i-int(tokenByte0)); p != want {
				return nil, fmt.Errorf("%w: token %d: is %q, want %q", ErrTokenizer, i, p, want)
			}
		}
		if id < firstPiece {
			continue
		}
		if p == "" {
			return nil, fmt.Errorf("%w: token %d: is empty", ErrTokenizer, i)
		}
		if _, dup := t.index[p]; !dup {
			t.index[p] = id
		}
	}
	return t, nil
}

// isJSON tells a tokenizer.json by its first brace: as a tokenizer.bin, that would have a longest piece beyond the limit.
func isJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// File is the name that the tokenizer has in a package.
func (t *Tokenizer) File() string {
	if t.bpe != nil {
		return FileTokenizerJSON
	}
	return FileTokenizer
}

// Bytes gives the file. ParseTokenizer(t.Bytes()) is t.
func (t *Tokenizer) Bytes() []byte {
	if t.bpe != nil {
		return t.bpe.raw
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(t.maxLen))
	for i, p := range t.pieces {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(t.scores[i]))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// VocabSize gives the number of tokens: the highest id and 1.
func (t *Tokenizer) VocabSize() int {
	if t.bpe != nil {
		return len(t.bpe.tokens)
	}
	return len(t.pieces)
}

// BOS gives the token that begins a text; ok is false where texts begin without one.
func (t *Tokenizer) BOS() (id int32, ok bool) {
	switch {
	case t.bpe == nil:
		return TokenBOS, true
	case len(t.bpe.before) > 0:
		return t.bpe.before[len(t.bpe.before)-1], true
	}
	return 0, false
}

// TokenID gives the id of a token by its text; ok is false where there is none.
func (t *Tokenizer) TokenID(text string) (id int32, ok bool) {
	list := t.pieces
	if t.bpe != nil {
		list = t.bpe.tokens
	}
	for i, p := range list {
		if p == text && p != "" {
			return int32(i), true
		}
	}
	return 0, false
}

// Encode turns text into tokens. bos and eos ask for what the tokenizer puts around a text. Of a tokenizer.json, text becomes what its
// stages say. Of llama2.c's format: a space is put before a text that is not empty, each character becomes its token or its UTF-8 bytes,
// and then the pair with the highest score (the leftmost of equals) is merged until none is left. Text cannot make special tokens.
func (t *Tokenizer) Encode(text string, bos, eos bool) []int32 {
	if t.bpe != nil {
		ids := t.bpe.encode(text)
		if bos {
			ids = append(append([]int32{}, t.bpe.before...), ids...)
		}
		if eos {
			ids = append(ids, t.bpe.after...)
		}
		return ids
	}
	ids := make([]int32, 0, len(text)/2+3)
	if text != "" {
		ids = t.merge(t.characters(" " + text))
	}
	if bos {
		ids = append([]int32{TokenBOS}, ids...)
	}
	if eos {
		ids = append(ids, TokenEOS)
	}
	return ids
}

// characters gives one token a character, or its bytes where there is none.
func (t *Tokenizer) characters(text string) []int32 {
	ids := make([]int32, 0, len(text))
	for len(text) > 0 {
		_, n := utf8.DecodeRuneInString(text)
		if id, ok := t.index[text[:n]]; ok {
			ids = append(ids, id)
		} else {
			for i := range n {
				ids = append(ids, tokenByte0+int32(text[i]))
			}
		}
		text = text[n:]
	}
	return ids
}

// link is one place of the text in the list that merges shorten.
type link struct {
	id         int32
	prev, next int32 // −1 at the ends; id −1 once merged away
}

// candidate is a pair that could merge, as it stood when it was found.
type candidate struct {
	score       float32
	at          int32
	left, right int32
	into        int32
}

type candidates []candidate

func (c candidates) Len() int { return len(c) }
func (c candidates) Less(i, j int) bool {
	return c[i].score > c[j].score || c[i].score == c[j].score && c[i].at < c[j].at
}
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *candidates) Push(x any)   { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	old := *c
	x := old[len(old)-1]
	*c = old[:len(old)-1]
	return x
}

// merge is llama2.c's loop "merge the best adjacent pair" with a heap in place of the scan, O(n log n) for it.
func (t *Tokenizer) merge(ids []int32) []int32 {
	list := make([]link, len(ids))
	for i, id := range ids {
		list[i] = link{id: id, prev: int32(i) - 1, next: int32(i) + 1}
	}
	if len(list) > 0 {
		list[len(list)-1].next = -1
	}
	var queue candidates
	find := func(at int32) {
		if at < 0 || list[at].next < 0 {
			return
		}
		l, r := list[at].id, list[list[at].next].id
		if into, ok := t.index[t.pieces[l]+t.pieces[r]]; ok && len(t.pieces[l])+len(t.pieces[r]) <= t.maxLen {
			heap.Push(&queue, candidate{t.scores[into], at, l, r, into})
		}
	}
	for i := range list {
		find(int32(i))
	}
	for queue.Len() > 0 {
		c := heap.Pop(&queue).(candidate)
		a := &list[c.at]
		if a.id != c.left || a.next < 0 || list[a.next].id != c.right {
			continue
		}
		gone := a.next
		a.id, a.next = c.into, list[gone].next
		if a.next >= 0 {
			list[a.next].prev = c.at
		}
		list[gone].id = -1
		find(a.prev)
		find(c.at)
	}
	out := ids[:0]
	for _, l := range list {
		if l.id >= 0 {
			out = append(out, l.id)
		}
	}
	return out
}

// Piece gives the bytes that token id adds after token prev: the space a text begins with is dropped after TokenBOS, byte tokens are
// their byte, specials and ids outside the vocabulary are nothing.
func (t *Tokenizer) Piece(prev, id int32) []byte {
	if t.bpe != nil {
		return t.bpe.piece(prev, id)
	}
	if id < tokenByte0 || int(id) >= len(t.pieces) {
		return nil
	}
	if id < firstPiece {
		return []byte{byte(id - tokenByte0)}
	}
	p := t.pieces[id]
	if prev == TokenBOS {
		p = strings.TrimPrefix(p, " ")
	}
	return []byte(p)
}

// Decode gives the text of tokens. The dummy space of the first piece is dropped after TokenBOS; a text that ends inside a character
// ends in the replacement character.
func (t *Tokenizer) Decode(ids []int32) string {
	var b []byte
	prev := noToken
	for _, id := range ids {
		b = append(b, t.Piece(prev, id)...)
		prev = id
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}

// Pieces gives what each token adds in the middle of a text, for renderers that only join pieces; specials are empty.
func (t *Tokenizer) Pieces() [][]byte {
	out := make([][]byte, t.VocabSize())
	for i := range out {
		out[i] = t.Piece(noToken, int32(i))
	}
	return out
}
