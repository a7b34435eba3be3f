package vrf_test

import (
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"github.com/oasisprotocol/curve25519-voi/primitives/h2c"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/beacon/vrf"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// vectors are examples 19 to 21 of RFC 9381, appendix B.4.
var vectors = []struct{ sk, pk, alpha, pi, beta string }{
	{
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
		"7d9c633ffeee27349264cf5c667579fc583b4bda63ab71d001f89c10003ab46f14adf9a3cd8b8412d9038531e865c341" +
			"cafa73589b023d14311c331a9ad15ff2fb37831e00f0acaa6d73bc9997b06501",
		"9d574bf9b8302ec0fc1e21c3ec5368269527b87b462ce36dab2d14ccf80c53cccf6758f058c5b1c856b116388152bbe509ee3b9ecfe63d93c3b4346c1fbc6c54",
	},
	{
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
		"47b327393ff2dd81336f8a2ef10339112401253b3c714eeda879f12c509072ef055b48372bb82efbdce8e10c8cb9a2f9" +
			"d60e93908f93df1623ad78a86a028d6bc064dbfc75a6a57379ef855dc6733801",
		"38561d6b77b71d30eb97a062168ae12b667ce5c28caccdf76bc88e093e4635987cd96814ce55b4689b3dd2947f80e59aac7b7675f8083865b46c89b2ce9cc735",
	},
	{
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
		"926e895d308f5e328e7aa159c06eddbe56d06846abf5d98c2512235eaa57fdce35b46edfc655bc828d44ad09d1150f31" +
			"374e7ef73027e14760d42e77341fe05467bb286cc2c9d7fde29120a0b2320d04",
		"121b7f9b9aaaa29099fc04a94ba52784d44eac976dd1a3cca458733be5cd090a7b5fbd148444f17f8daf1fb55cb04b1ae85a626e30a54b4b0f8abf4a43314a58",
	},
}

func TestRFCVectors(t *testing.T) {
	for _, v := range vectors {
		sk, err := vrf.NewSecretKey(unhex(t, v.sk))
		require.NoError(t, err)
		require.Equal(t, v.pk, hex.EncodeToString(sk.Public()))
		alpha := unhex(t, v.alpha)
		require.Equal(t, v.pi, hex.EncodeToString(sk.Prove(alpha)))
		beta, err := vrf.Verify(unhex(t, v.pk), alpha, unhex(t, v.pi))
		require.NoError(t, err)
		require.Equal(t, v.beta, hex.EncodeToString(beta))
	}
}

func TestSizes(t *testing.T) {
	_, err := vrf.NewSecretKey(make([]byte, 31))
	require.ErrorContains(t, err, "seed: 31 bytes")
	sk, pk, alpha, proof := example(t)
	_, err = vrf.Verify(pk[1:], alpha, proof)
	require.ErrorContains(t, err, "public key: 31 bytes")
	for _, n := range []int{0, 79, 81} {
		_, err = vrf.Verify(pk, alpha, append(sk.Prove(alpha), 0)[:n])
		require.ErrorContains(t, err, "proof: ")
	}
}

func example(t testing.TB) (sk vrf.SecretKey, pk, alpha, proof []byte) {
	t.Helper()
	sk, err := vrf.NewSecretKey(make([]byte, vrf.SeedSize))
	require.NoError(t, err)
	alpha = []byte("alpha")
	return sk, sk.Public(), alpha, sk.Prove(alpha)
}

// TestEveryBitCounts: no single bit of a proof, an input or a key can be changed.
func TestEveryBitCounts(t *testing.T) {
	_, pk, alpha, proof := example(t)
	for name, b := range map[string][]byte{"proof": proof, "alpha": alpha, "key": pk} {
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			_, err := vrf.Verify(pk, alpha, proof)
			require.Error(t, err, "%s: bit %d", name, i)
			b[i/8] ^= 1 << (i % 8)
		}
	}
	_, err := vrf.Verify(pk, alpha, proof)
	require.NoError(t, err)
}

// order of the group, 2^252 + 27742317777372353535851937790883648493.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// TestScalarIsCanonical: s + q means the same number, and would be a second encoding of the same proof.
func TestScalarIsCanonical(t *testing.T) {
	_, pk, alpha, proof := example(t)
	s := new(big.Int).Add(order, fromLittle(proof[48:]))
	require.LessOrEqual(t, s.BitLen(), 256)
	forged := append([]byte(nil), proof[:48]...)
	forged = append(forged, toLittle(s)...)
	_, err := vrf.Verify(pk, alpha, forged)
	require.ErrorIs(t, err, vrf.ErrInvalid)
}

func fromLittle(b []byte) *big.Int {
	n := new(big.Int)
	for i := len(b) - 1; i >= 0; i-- {
		n.Or(n.Lsh(n, 8), big.NewInt(int64(b[i])))
	}
	return n
}

func toLittle(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	for i := range 16 {
		b[i], b[31-i] = b[31-i], b[i]
	}
	return b
}

// dishonest makes a proof as the RFC does, but by a signer that chooses its nonce and adds a point of small order to gamma. It needs the
// challenge to be a multiple of 8 for the point to vanish, and so tries nonces until it is.
func dishonest(t *testing.T, seed, alpha []byte, torsion *curve.EdwardsPoint) []byte {
	t.Helper()
	sk, err := vrf.NewSecretKey(seed)
	require.NoError(t, err)
	pk := sk.Public()
	digest := sha512.Sum512(seed)
	digest[0] &= 248
	digest[31] = digest[31]&127 | 64
	x, err := scalar.NewFromBits(digest[:32])
	require.NoError(t, err)
	dst := []byte("ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04")
	h, err := h2c.Edwards25519_XMD_SHA512_ELL2_NU(dst, append(append([]byte(nil), pk...), alpha...))
	require.NoError(t, err)
	var gamma curve.EdwardsPoint
	gamma.Mul(h, x)
	gamma.Add(&gamma, torsion)
	for i := range 1000 {
		wide := sha512.Sum512([]byte{byte(i), byte(i >> 8)})
		k, err := scalar.NewFromBytesModOrderWide(wide[:])
		require.NoError(t, err)
		var u, v curve.EdwardsPoint
		u.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, k)
		v.Mul(h, k)
		str := append([]byte{4, 2}, pk...)
		for _, p := range []*curve.EdwardsPoint{h, &gamma, &u, &v} {
			var c curve.CompressedEdwardsY
			str = append(str, c.SetEdwardsPoint(p)[:]...)
		}
		sum := sha512.Sum512(append(str, 0))
		if sum[0]%8 != 0 {
			continue
		}
		c := make([]byte, 32)
		copy(c, sum[:16])
		cs, err := scalar.NewFromBits(c)
		require.NoError(t, err)
		var s scalar.Scalar
		s.Mul(cs, x)
		s.Add(&s, k)
		var g curve.CompressedEdwardsY
		proof := append([]byte(nil), g.SetEdwardsPoint(&gamma)[:]...)
		proof = append(proof, sum[:16]...)
		var out [32]byte
		require.NoError(t, s.ToBytes(out[:]))
		return append(proof, out[:]...)
	}
	t.Fatal("no challenge is a multiple of 8")
	return nil
}

// TestOutputIsUnique: the owner of a key can make other proofs for an input, also with points of small order in them, but they all
// have the same output. So a proposer has one value and no other.
func TestOutputIsUnique(t *testing.T) {
	seed := make([]byte, vrf.SeedSize)
	_, pk, alpha, honest := example(t)
	want, err := vrf.Verify(pk, alpha, honest)
	require.NoError(t, err)
	accepted := 0
	for i := range curve.EIGHT_TORSION {
		proof := dishonest(t, seed, alpha, curve.EIGHT_TORSION[i])
		require.NotEqual(t, honest, proof)
		got, err := vrf.Verify(pk, alpha, proof)
		require.NoError(t, err, "torsion %d", i)
		require.Equal(t, want, got)
		accepted++
	}
	require.Equal(t, 8, accepted)
}

// TestSmallOrderKeysAreRefused: such a key would have outputs that anybody can compute.
func TestSmallOrderKeysAreRefused(t *testing.T) {
	_, _, alpha, proof := example(t)
	for i := range curve.EIGHT_TORSION {
		var c curve.CompressedEdwardsY
		c.SetEdwardsPoint(curve.EIGHT_TORSION[i])
		_, err := vrf.Verify(c[:], alpha, proof)
		require.Error(t, err)
	}
}

func TestProveVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes32 := rapid.SliceOfN(rapid.Byte(), 32, 32)
		sk, err := vrf.NewSecretKey(bytes32.Draw(t, "seed"))
		require.NoError(t, err)
		other, err := vrf.NewSecretKey(bytes32.Draw(t, "other seed"))
		require.NoError(t, err)
		alpha := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "alpha")
		proof := sk.Prove(alpha)
		require.Equal(t, proof, sk.Prove(alpha))
		beta, err := vrf.Verify(sk.Public(), alpha, proof)
		require.NoError(t, err)
		require.Len(t, beta, vrf.OutputSize)
		_, err = vrf.Verify(sk.Public(), append(alpha, 0), proof)
		require.ErrorIs(t, err, vrf.ErrInvalid)
		if string(other.Public()) != string(sk.Public()) {
			_, err = vrf.Verify(other.Public(), alpha, proof)
			require.ErrorIs(t, err, vrf.ErrInvalid)
		}
	})
}

func FuzzVerify(f *testing.F) {
	_, pk, alpha, proof := example(f)
	f.Add(pk, alpha, proof)
	f.Add(make([]byte, vrf.PublicKeySize), []byte{}, make([]byte, vrf.ProofSize))
	want, err := vrf.Verify(pk, alpha, proof)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, key, input, pi []byte) {
		got, err := vrf.Verify(key, input, pi)
		if err == nil && string(key) == string(pk) && string(input) == string(alpha) {
			require.Equal(t, want, got)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	_, pk, alpha, proof := example(b)
	for b.Loop() {
		if _, err := vrf.Verify(pk, alpha, proof); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	sk, _, alpha, _ := example(b)
	for b.Loop() {
		sk.Prove(alpha)
	}
}
