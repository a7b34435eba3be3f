package artifacts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/memblob"  // mem://, for tests
	_ "gocloud.dev/blob/s3blob"   // s3://
	"gocloud.dev/gcerrors"

	"poaid/model"
)

// DefaultMaxBytes bounds one artifact: 16 GiB.
const DefaultMaxBytes = 16 << 30

var (
	// ErrNotFound is returned when an artifact is neither in the store nor at any peer.
	ErrNotFound = errors.New("artifact not found")
	// ErrTooLarge is returned when an artifact exceeds a size limit.
	ErrTooLarge = errors.New("artifact too large")
	// ErrCorrupt is returned at the end of a read whose bytes are not what the content id stands for.
	ErrCorrupt = errors.New("artifact corrupt")
)

// Store is a content-addressed store over a blob bucket. It is safe for concurrent use.
type Store struct {
	bucket   *blob.Bucket
	maxBytes int64
	spool    string // where Put gathers bytes whose hash is not known yet
}

// Open opens a store by URL: file:///path (created if missing), s3://bucket?region=…, or mem://. A plain path means file://.
// maxBytes bounds one artifact; 0: DefaultMaxBytes.
func Open(ctx context.Context, rawURL string, maxBytes int64) (*Store, error) {
	if maxBytes == 0 {
		maxBytes = DefaultMaxBytes
	}
	if maxBytes < 0 {
		return nil, fmt.Errorf("artifact store: max bytes: %d is negative", maxBytes)
	}
	target, spool, err := storeURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("artifact store: %w", err)
	}
	bucket, err := blob.OpenBucket(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("artifact store %s: %w", rawURL, err)
	}
	return &Store{bucket: bucket, maxBytes: maxBytes, spool: spool}, nil
}

// storeURL completes a file URL with the options we rely on: the folder is created, no attribute files, and temporary files lie
// beside their target so that the rename is atomic.
func storeURL(raw string) (target, spool string, err error) {
	if !strings.Contains(raw, "://") {
		abs, err := filepath.Abs(raw)
		if err != nil {
			return "", "", err
		}
		raw = (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String()
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", err
	}
	if u.Scheme != "file" {
		return raw, os.TempDir(), nil
	}
	dir := filepath.FromSlash(u.Path)
	spool = filepath.Join(dir, "spool")
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return "", "", err
	}
	q := u.Query()
	q.Set("create_dir", "true")
	q.Set("metadata", "skip")
	q.Set("no_tmp_dir", "true")
	u.RawQuery = q.Encode()
	return u.String(), spool, nil
}

// Close releases the bucket.
func (s *Store) Close() error { return s.bucket.Close() }

// key spreads artifacts over folders by the end of the content id, which is uniform (its beginning is constant).
func key(cid string) (string, error) {
	if _, err := model.ParseCID(cid); err != nil {
		return "", err
	}
	return "blobs/" + cid[len(cid)-3:len(cid)-1] + "/" + cid, nil
}

// Put stores all of r and returns its content id and size. Putting what is there already is cheap and changes nothing.
func (s *Store) Put(ctx context.Context, r io.Reader) (cid string, n int64, err error) {
	return s.put(ctx, r, s.maxBytes, "")
}

// PutBytes stores data and returns its content id.
func (s *Store) PutBytes(ctx context.Context, data []byte) (string, error) {
	cid, _, err := s.put(ctx, bytes.NewReader(data), s.maxBytes, "")
	return cid, err
}

// PutAs stores r if it is what cid stands for, and fails with ErrCorrupt otherwise. At most limit bytes are read.
func (s *Store) PutAs(ctx context.Context, cid string, r io.Reader, limit int64) (int64, error) {
	if _, err := model.ParseCID(cid); err != nil {
		return 0, err
	}
	_, n, err := s.put(ctx, r, min(limit, s.maxBytes), cid)
	return n, err
}

// put spools r to learn its hash before it has a name. want, if set, is the content id it must have.
func (s *Store) put(ctx context.Context, r io.Reader, limit int64, want string) (cid string, n int64, err error) {
	tmp, err := os.CreateTemp(s.spool, "put-*")
	if err != nil {
		return "", 0, fmt.Errorf("spool artifact: %w", err)
	}
	defer func() {
		err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
	}()
	h := sha256.New()
	n, err = io.Copy(io.MultiWriter(tmp, h), io.LimitReader(ctxReader{ctx, r}, limit+1))
	if err != nil {
		return "", n, fmt.Errorf("read artifact: %w", err)
	}
	if n > limit {
		return "", n, fmt.Errorf("%w: limit %d bytes", ErrTooLarge, limit)
	}
	cid = model.CIDFromSHA256([32]byte(h.Sum(nil)))
	if want != "" && cid != want {
		return "", n, fmt.Errorf("%w: got %s, want %s", ErrCorrupt, cid, want)
	}
	k, err := key(cid)
	if err != nil {
		return "", n, err
	}
	// A file of the right length under its own hash is only ever wrong through disk damage, which PutAs (a fetch) must repair.
	if want == "" {
		if size, err := s.Size(ctx, cid); err == nil && size == n {
			return cid, n, nil
		}
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return "", n, fmt.Errorf("spool artifact: %w", err)
	}
	if err := s.bucket.Upload(ctx, k, tmp, &blob.WriterOptions{ContentType: contentType}); err != nil {
		return "", n, fmt.Errorf("store artifact %s: %w", cid, err)
	}
	return cid, n, nil
}

const contentType = "application/octet-stream"

// Size returns the bytes of an artifact, ErrNotFound if it is not here.
func (s *Store) Size(ctx context.Context, cid string) (int64, error) {
	k, err := key(cid)
	if err != nil {
		return 0, err
	}
	a, err := s.bucket.Attributes(ctx, k)
	if err != nil {
		return 0, notFound(cid, err)
	}
	return a.Size, nil
}

// Has tells whether an artifact is here.
func (s *Store) Has(ctx context.Context, cid string) (bool, error) {
	k, err := key(cid)
	if err != nil {
		return false, err
	}
	return s.bucket.Exists(ctx, k)
}

// Get opens an artifact. The reader verifies as it goes: its last Read fails with ErrCorrupt instead of io.EOF when the bytes are
// not what the content id stands for, so nothing may be trusted before io.EOF was seen.
func (s *Store) Get(ctx context.Context, cid string) (io.ReadCloser, int64, error) {
	want, err := model.ParseCID(cid)
	if err != nil {
		return nil, 0, err
	}
	r, err := s.open(ctx, cid)
	if err != nil {
		return nil, 0, err
	}
	return &verifier{r: r, h: sha256.New(), want: want, cid: cid}, r.Size(), nil
}

// GetBytes reads an artifact of at most limit bytes, verified.
func (s *Store) GetBytes(ctx context.Context, cid string, limit int64) ([]byte, error) {
	r, size, err := s.Get(ctx, cid)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > limit {
		return nil, fmt.Errorf("%w: %s has %d bytes, limit %d", ErrTooLarge, cid, size, limit)
	}
	data := make([]byte, 0, size+1)
	buf := bytes.NewBuffer(data)
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Delete removes an artifact; removing what is not here is not an error.
func (s *Store) Delete(ctx context.Context, cid string) error {
	k, err := key(cid)
	if err != nil {
		return err
	}
	if err := s.bucket.Delete(ctx, k); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete artifact %s: %w", cid, err)
	}
	return nil
}

// open opens an artifact without verification, for serving ranges.
func (s *Store) open(ctx context.Context, cid string) (*blob.Reader, error) {
	k, err := key(cid)
	if err != nil {
		return nil, err
	}
	r, err := s.bucket.NewReader(ctx, k, nil)
	if err != nil {
		return nil, notFound(cid, err)
	}
	return r, nil
}

func notFound(cid string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%w: %s", ErrNotFound, cid)
	}
	return fmt.Errorf("artifact %s: %w", cid, err)
}

// verifier hashes what passes through.
type verifier struct {
	r    io.ReadCloser
	h    hash.Hash
	want [32]byte
	cid  string
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	v.h.Write(p[:n])
	if err == io.EOF && [32]byte(v.h.Sum(nil)) != v.want {
		return n, fmt.Errorf("%w: %s", ErrCorrupt, v.cid)
	}
	return n, err
}

func (v *verifier) Close() error { return v.r.Close() }

// ctxReader stops between reads once its context ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
