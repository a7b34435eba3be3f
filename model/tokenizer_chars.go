package model

// CharTokenizer gives a tokenizer with one token a character: specials, bytes, and the characters that the text has at least twice by
// frequency. Other characters fall back to bytes.
func CharTokenizer(text string) (*Tokenizer, error) {
	return TrainTokenizer(text, int(firstPiece)+len(frequentCharacters(text)))
}
