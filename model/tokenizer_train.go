package model

import (
	"fmt"
	"sort"
	"unicode"
	"unicode/utf8"
)

// maxTrainedPiece bounds the bytes of a piece that training makes.
const maxTrainedPiece = 16

// TrainTokenizer learns a byte-pair vocabulary of exactly `vocab` tokens from text: specials, bytes, the pieces that the most frequent
// adjacent pairs merge into (scores 0, −1, −2 … in the order found), and last the characters of the text by frequency. Pairs never
// cross the border of a word; a word takes the space before it. Equal counts go to the pair that sorts first, so the result depends
// on nothing but the arguments. Characters seen once fall back to bytes.
func TrainTokenizer(text string, vocab int) (*Tokenizer, error) {
	if vocab > MaxVocab {
		return nil, fmt.Errorf("vocab: %d, limit %d", vocab, MaxVocab)
	}
	chars := frequentCharacters(text)
	merges := vocab - int(firstPiece) - len(chars)
	if merges < 0 {
		return nil, fmt.Errorf("vocab: %d, the text's %d characters need %d", vocab, len(chars), int(firstPiece)+len(chars))
	}
	words := countWords(text)
	found := learnMerges(words, merges)
	if len(found) < merges {
		return nil, fmt.Errorf("vocab: %d, the text gives only %d", vocab, vocab-merges+len(found))
	}
	pieces := []string{"<unk>", "\n<s>\n", "\n</s>\n"}
	for b := range 256 {
		pieces = append(pieces, fmt.Sprintf("<0x%02X>", b))
	}
	scores := make([]float32, len(pieces), vocab)
	for i, p := range append(found, chars...) {
		pieces = append(pieces, p)
		scores = append(scores, -float32(i))
	}
	longest := 0
	for _, p := range pieces {
		longest = max(longest, len(p))
	}
	return newTokenizer(pieces, scores, longest)
}

// frequentCharacters gives the valid characters that occur at least twice, most frequent first; the space is always one of them.
func frequentCharacters(text string) []string {
	count := map[rune]int{' ': 2}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				continue
			}
		}
		count[r]++
	}
	var out []string
	for r, n := range count {
		if n >= 2 {
			out = append(out, string(r))
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := count[firstRune(out[i])], count[firstRune(out[j])]
		return a > b || a == b && out[i] < out[j]
	})
	return out
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// wordClass tells letters (with the apostrophe), digits and marks apart; white space stands alone.
func wordClass(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return 0
	case unicode.IsLetter(r) || r == '\'':
		return 1
	case unicode.IsDigit(r):
		return 2
	}
	return 3
}

// word is a run of one class, with the space before it, as the pieces it is made of so far.
type word struct {
	text   string
	pieces []string
	count  int
}

// countWords cuts text into words, in order of text.
func countWords(text string) []*word {
	count := map[string]int{}
	start, class := 0, 0
	text = " " + text
	for i, r := range text {
		c := wordClass(r)
		if i > 0 && (c == 0 || c != class) && (class != 0 || text[start:i] != " " || c == 0) {
			count[text[start:i]]++
			start = i
		}
		class = c
	}
	count[text[start:]]++
	words := make([]*word, 0, len(count))
	for s, n := range count {
		w := &word{text: s, count: n}
		for _, r := range s {
			w.pieces = append(w.pieces, string(r))
		}
		words = append(words, w)
	}
	sort.Slice(words, func(i, j int) bool { return words[i].text < words[j].text })
	return words
}

type pair struct{ left, right string }

// learnMerges gives the first n distinct pieces that merging the most frequent pairs makes.
func learnMerges(words []*word, n int) []string {
	count := map[pair]int{}
	add := func(w *word, sign int) {
		for i := 0; i+1 < len(w.pieces); i++ {
			count[pair{w.pieces[i], w.pieces[i+1]}] += sign * w.count
		}
	}
	for _, w := range words {
		add(w, 1)
	}
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		best, most := pair{}, 1
		for p, c := range count {
			if len(p.left)+len(p.right) > maxTrainedPiece {
				continue
			}
			if c > most || c == most && most > 1 && (p.left < best.left || p.left == best.left && p.right < best.right) {
				best, most = p, c
			}
		}
		if most < 2 {
			return out
		}
		joined := best.left + best.right
		for _, w := range words {
			if !hasPair(w.pieces, best) {
				continue
			}
			add(w, -1)
			w.pieces = joinPair(w.pieces, best)
			add(w, 1)
		}
		delete(count, best)
		if !seen[joined] {
			seen[joined] = true
			out = append(out, joined)
		}
	}
	return out
}

func hasPair(pieces []string, p pair) bool {
	for i := 0; i+1 < len(pieces); i++ {
		if pieces[i] == p.left && pieces[i+1] == p.right {
			return true
		}
	}
	return false
}

func joinPair(pieces []string, p pair) []string {
	out := pieces[:0:0]
	for i := 0; i < len(pieces); i++ {
		if i+1 < len(pieces) && pieces[i] == p.left && pieces[i+1] == p.right {
			out = append(out, p.left+p.right)
			i++
			continue
		}
		out = append(out, pieces[i])
	}
	return out
}
