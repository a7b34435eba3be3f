package model

import (
	"container/heap"
	"strings"
	"unicode/utf8"
)

// bpe is a vocabulary of tokenizer.json: merges with ranks, text cut into words first.
type bpe struct {
	raw    []byte           // the file
	vocab  map[string]int32 // model tokens
	tokens []string         // by id, "" where there is none
	added  []addedToken
	merges map[[2]int32]merge

	normal []normalizer
	cut    []splitter
	// byteLevel texts are spelled in one character a byte (see byteRunes) before they are merged.
	byteLevel bool
	// space is the character that stands for a space in pieces, "" for none.
	space string
	// dropSpace drops the space a text begins with when it is decoded after the begin token.
	dropSpace    bool
	byteFallback bool
	fuseUnknown  bool
	ignoreMerges bool
	unknown      int32 // −1: none
	// before and after are the special tokens around a text.
	before, after []int32
	special       map[int32]bool
}

// merge is what a pair becomes; the lowest rank goes first.
type merge struct {
	rank int32
	into int32
}

// addedToken is a token that is found in the text before everything else.
type addedToken struct {
	text           string
	id             int32
	special        bool
	lstrip, rstrip bool
	normalized     bool
}

// byteRunes spells each byte as a character: printable Latin-1 as itself, the others from U+0100 on (Radford et al. 2019, GPT-2).
var byteRunes, runeBytes = func() (to [256]rune, from map[rune]byte) {
	from = make(map[rune]byte, 256)
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b < '!' || b > '~' && b < 0xa1 || b == 0xad {
			r, next = next, next+1
		}
		to[b], from[r] = r, byte(b)
	}
	return to, from
}()

// normalizer changes text before it is cut.
type normalizer func(text string) string

// splitter cuts each word into smaller ones, or changes it. first tells that the word begins the text.
type splitter func(words []string, first bool) []string

// encode gives the tokens of a text, without those around it.
func (t *bpe) encode(text string) []int32 {
	var ids []int32
	first := true
	for len(text) > 0 {
		at, tok := t.nextAdded(text)
		if tok == nil {
			at = len(text)
		}
		piece := text[:at]
		if tok != nil {
			text = text[at+len(tok.text):]
			if tok.lstrip {
				piece = strings.TrimRight(piece, " \t\r\n\v\f")
			}
			if tok.rstrip {
				text = strings.TrimLeft(text, " \t\r\n\v\f")
			}
		} else {
			text = ""
		}
		if piece != "" {
			ids = append(ids, t.words(piece, first)...)
			first = false
		}
		if tok != nil {
			ids = append(ids, tok.id)
			first = false
		}
	}
	return ids
}

// nextAdded finds the first added token in the text, the longest of those at one place.
func (t *bpe) nextAdded(text string) (at int, tok *addedToken) {
	at = len(text)
	for i := range t.added {
		a := &t.added[i]
		end := min(len(text), at+len(a.text))
		if j := strings.Index(text[:end], a.text); j >= 0 && (j < at || tok == nil || len(a.text) > len(tok.text)) {
			at, tok = j, a
		}
	}
	return at, tok
}

// words normalises a piece of text, cuts it and merges each word.
func (t *bpe) words(text string, first bool) []int32 {
	for _, n := range t.normal {
		text = n(text)
	}
	words := []string{text}
	for _, s := range t.cut {
		words = s(words, first)
	}
	var ids []int32
	for _, w := range words {
		if w != "" {
			ids = append(ids, t.word(w)...)
		}
	}
	return ids
}

func (t *bpe) word(w string) []int32 {
	if t.ignoreMerges {
		if id, ok := t.vocab[w]; ok {
			return []int32{id}
		}
	}
	return t.merge(t.characters(w))
}

// characters gives one token a character: its own, its bytes', or the unknown one.
func (t *bpe) characters(w string) []int32 {
	ids := make([]int32, 0, len(w))
	fused := false
	for len(w) > 0 {
		_, n := utf8.DecodeRuneInString(w)
		c := w[:n]
		w = w[n:]
		if id, ok := t.vocab[c]; ok {
			ids, fused = append(ids, id), false
			continue
		}
		if bytes, ok := t.bytesOf(c); ok {
			ids, fused = append(ids, bytes...), false
			continue
		}
		if t.unknown >= 0 && (!fused || !t.fuseUnknown) {
			ids, fused = append(ids, t.unknown), true
		}
	}
	return ids
}

func (t *bpe) bytesOf(c string) ([]int32, bool) {
	if !t.byteFallback {
		return nil, false
	}
	var ids []int32
	for i := range len(c) {
		id, ok := t.vocab[byteToken(c[i])]
		if !ok {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// byteToken is the piece of a byte.
func byteToken(b byte) string {
	const digits = "0123456789ABCDEF"
	return "<0x" + string([]byte{digits[b>>4], digits[b&15]}) + ">"
}

// asByte reads what byteToken gives.
func asByte(piece string) (byte, bool) {
	if len(piece) != 6 || !strings.HasPrefix(piece, "<0x") || piece[5] != '>' {
		return 0, false
	}
	hi, lo := strings.IndexByte("0123456789ABCDEF", piece[3]), strings.IndexByte("0123456789ABCDEF", piece[4])
	return byte(hi<<4 | lo&15), hi >= 0 && lo >= 0
}

// neighbours is two neighbours that could merge, as they stood when they were found.
type neighbours struct {
	merge
	at          int32
	left, right int32
}

type pairs []neighbours

func (p pairs) Len() int { return len(p) }
func (p pairs) Less(i, j int) bool {
	return p[i].rank < p[j].rank || p[i].rank == p[j].rank && p[i].at < p[j].at
}
func (p pairs) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pairs) Push(x any)   { *p = append(*p, x.(neighbours)) }
func (p *pairs) Pop() any {
	old := *p
	x := old[len(old)-1]
	*p = old[:len(old)-1]
	return x
}

// merge joins the neighbours of lowest rank, the leftmost of equals, until none is left.
func (t *bpe) merge(ids []int32) []int32 {
	list := make([]link, len(ids))
	for i, id := range ids {
		list[i] = link{id: id, prev: int32(i) - 1, next: int32(i) + 1}
	}
	if len(list) > 0 {
		list[len(list)-1].next = -1
	}
	var queue pairs
	find := func(at int32) {
		if at < 0 || list[at].next < 0 {
			return
		}
		l, r := list[at].id, list[list[at].next].id
		if m, ok := t.merges[[2]int32{l, r}]; ok {
			heap.Push(&queue, neighbours{m, at, l, r})
		}
	}
	for i := range list {
		find(int32(i))
	}
	for queue.Len() > 0 {
		p := heap.Pop(&queue).(neighbours)
		a := &list[p.at]
		if a.id != p.left || a.next < 0 || list[a.next].id != p.right {
			continue
		}
		gone := a.next
		a.id, a.next = p.into, list[gone].next
		if a.next >= 0 {
			list[a.next].prev = p.at
		}
		list[gone].id = -1
		find(a.prev)
		find(p.at)
	}
	out := ids[:0]
	for _, l := range list {
		if l.id >= 0 {
			out = append(out, l.id)
		}
	}
	return out
}

// piece gives the bytes of a token; prev as in Tokenizer.Piece.
func (t *bpe) piece(prev, id int32) []byte {
	if id < 0 || int(id) >= len(t.tokens) || t.special[id] {
		return nil
	}
	p := t.tokens[id]
	if _, ok := t.vocab[p]; !ok {
		return []byte(p) // an added token that is text
	}
	if t.byteLevel {
		out := make([]byte, 0, len(p))
		for _, r := range p {
			if b, ok := runeBytes[r]; ok {
				out = append(out, b)
			} else {
				out = utf8.AppendRune(out, r)
			}
		}
		return out
	}
	if b, ok := asByte(p); ok && t.byteFallback {
		return []byte{b}
	}
	if t.space != "" {
		p = strings.ReplaceAll(p, t.space, " ")
	}
	if t.dropSpace && t.begins(prev) {
		p = strings.TrimPrefix(p, " ")
	}
	return []byte(p)
}

// begins tells whether a token begins a text.
func (t *bpe) begins(id int32) bool { return len(t.before) > 0 && id == t.before[len(t.before)-1] }
