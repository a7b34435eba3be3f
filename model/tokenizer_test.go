package model

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// story is a text that a small vocabulary can be learnt from.
const story = `Once upon a time there was a little girl who lived with her mother near the forest. Every day the little girl
went into the forest, and every day the mother said: "Do not leave the path, little one, for the wolf lives there."
One day the girl saw a flower, and another, and another; and so she left the path. Then the wolf came and said, "Good
day, little girl." "Good day, wolf," said the girl, and they went on together, the girl and the wolf, to the end.
`

func trained(t *testing.T) *Tokenizer {
	t.Helper()
	tok, err := TrainTokenizer(strings.Repeat(story, 2), 330)
	require.NoError(t, err)
	return tok
}

// naiveMerge is the loop of llama2.c's encode, scan after scan.
func naiveMerge(t *Tokenizer, ids []int32) []int32 {
	for {
		best, at, into := float32(-1e10), -1, int32(0)
		for i := 0; i+1 < len(ids); i++ {
			if id, ok := t.index[t.pieces[ids[i]]+t.pieces[ids[i+1]]]; ok && t.scores[id] > best {
				best, at, into = t.scores[id], i, id
			}
		}
		if at < 0 {
			return ids
		}
		ids = append(append(append([]int32{}, ids[:at]...), into), ids[at+2:]...)
	}
}

func TestMergeEqualsNaive(t *testing.T) {
	tok := trained(t)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(append(strings.Fields(story), "ü", "\n", "  ", "aaaa", "theretherethe", "<s>")), 0, 20).Draw(t, "words")
		text := strings.Join(words, rapid.SampledFrom([]string{" ", ""}).Draw(t, "sep"))
		got := tok.merge(tok.characters(text))
		require.Equal(t, naiveMerge(tok, tok.characters(text)), append([]int32{}, got...))
	})
}

func TestDecodeInvertsEncode(t *testing.T) {
	tok := trained(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		ids := tok.Encode(text, true, true)
		require.Equal(t, TokenBOS, ids[0])
		require.Equal(t, TokenEOS, ids[len(ids)-1])
		if text != "" {
			require.Equal(t, text, tok.Decode(ids))
		}
		for _, id := range ids[1 : len(ids)-1] {
			require.GreaterOrEqual(t, id, tokenByte0, "text cannot make special tokens")
		}
	})
	require.Equal(t, []int32{TokenBOS}, tok.Encode("", true, false))
	require.Empty(t, tok.Encode("", false, false))
	require.Equal(t, []int32{TokenBOS}, tok.Encode("<s>", true, false)[:1])
	require.NotContains(t, tok.Encode("\n<s>\n", false, false), TokenBOS)
}

func TestTokenizerFileRoundTrip(t *testing.T) {
	tok := trained(t)
	back, err := ParseTokenizer(tok.Bytes())
	require.NoError(t, err)
	require.Equal(t, tok, back)
	require.Equal(t, 330, back.VocabSize())
}

func TestTrainIsReproducible(t *testing.T) {
	a, b := trained(t), trained(t)
	require.Equal(t, a.Bytes(), b.Bytes())
	ids := a.Encode("the little girl and the wolf", false, false)
	require.Less(t, len(ids), 14, "frequent words are few tokens: %v", ids)
}

func TestTrainLimits(t *testing.T) {
	_, err := TrainTokenizer(story, 260)
	require.ErrorContains(t, err, "vocab: 260")
	_, err = TrainTokenizer("ab ab", 100000)
	require.ErrorContains(t, err, "gives only")
	_, err = TrainTokenizer(story, MaxVocab+1)
	require.ErrorContains(t, err, "limit")
}

func TestPieces(t *testing.T) {
	tok := trained(t)
	pieces := tok.Pieces()
	require.Len(t, pieces, tok.VocabSize())
	require.Empty(t, pieces[TokenBOS])
	require.Equal(t, []byte("A"), pieces[tokenByte0+'A'])
	require.Nil(t, tok.Piece(0, -1))
	require.Nil(t, tok.Piece(0, 1<<30))
	require.Equal(t, "\uFFFD", tok.Decode([]int32{tokenByte0 + 0xff}))
}

func TestParseTokenizerRefuses(t *testing.T) {
	good := trained(t).Bytes()
	edit := func(at int, b ...byte) []byte {
		c := append([]byte{}, good...)
		copy(c[at:], b)
		return c
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "header: 0 bytes"},
		{"no longest piece", edit(0, 0, 0, 0, 0), "longest piece: 0"},
		{"negative longest piece", edit(0, 0xff, 0xff, 0xff, 0xff), "longest piece: -1"},
		{"negative length", edit(8, 0xff, 0xff, 0xff, 0xff), "token 0: length -1"},
		{"long token", edit(8, 0xff, 0, 0, 0), "token 0: length 255"},
		{"cut in a header", good[:10], "token 0: file ends"},
		{"cut in a piece", good[:14], "token 0: file ends"},
		{"few tokens", good[:17], "1 tokens, want at least 259"},
		{"score", edit(4, 0, 0, 0xc0, 0x7f), "token 0: score"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseTokenizer(c.data)
			require.ErrorIs(t, err, ErrTokenizer)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// sharedModel opens a file of the models lying beside the repository and skips the test when there is none.
func sharedModel(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "models", "stories260K", name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("no %s: %v", path, err)
	}
	return data
}

func TestStoriesTokenizer(t *testing.T) {
	tok, err := ParseTokenizer(sharedModel(t, "tok512.bin"))
	require.NoError(t, err)
	require.Equal(t, 512, tok.VocabSize())
	require.Equal(t, []int32{1, 403, 407, 261, 378}, tok.Encode("Once upon a time", true, false))
	require.Equal(t, "Once upon a time, Zoë", tok.Decode(tok.Encode("Once upon a time, Zoë", true, false)))
}

func FuzzParseTokenizer(f *testing.F) {
	tok, err := TrainTokenizer(strings.Repeat(story, 2), 330)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tok.Bytes(), "Once upon a time")
	f.Add([]byte{16, 0, 0, 0}, "")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := ParseTokenizer(data)
		if err != nil {
			return
		}
		if got := string(tok.Bytes()); got != string(data) {
			t.Fatal("bytes differ after a round trip")
		}
		tok.Decode(tok.Encode(text, true, true))
	})
}
