package model

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// artifactOrder is the order of files in an artifact.
var artifactOrder = []string{FileMeta, FileProgram, FileTokenizer, FileTokenizerJSON, FileWeights}

// Artifact gives the package as one file: an uncompressed tar of its files in fixed order, with fixed times and owners, so that equal
// packages have equal content ids.
func (p *Package) Artifact() ([]byte, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	return artifactOf(files)
}

func artifactOf(files map[string][]byte) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range artifactOrder {
		data, ok := files[name]
		if !ok {
			continue
		}
		h := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(&h); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, err := w.Write(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// FromArtifact reads what Artifact wrote and checks it as Load does. Anything but exactly those bytes is refused.
func FromArtifact(data []byte) (*Package, error) {
	files := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: artifact: %w", ErrPackage, err)
		}
		if len(files) == len(artifactOrder) || h.Typeflag != tar.TypeReg || h.Size > int64(len(data)) {
			return nil, fmt.Errorf("%w: artifact: unexpected entry %.40q", ErrPackage, h.Name)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("%w: artifact: %.40q: %w", ErrPackage, h.Name, err)
		}
	}
	canonical, err := artifactOf(files)
	if err != nil {
		return nil, fmt.Errorf("%w: artifact: %w", ErrPackage, err)
	}
	if !bytes.Equal(canonical, data) {
		return nil, fmt.Errorf("%w: artifact: not written in canonical form", ErrPackage)
	}
	return FromFiles(files)
}
