package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// openNote opens a signed note with the known keys.
func openNote(asked *request) (answer, error) {
	verifiers := []note.Verifier{}
	for _, key := range asked.Keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return answer{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(asked.Note, note.VerifierList(verifiers...))
	if err != nil {
		return answer{}, err
	}
	for _, signature := range opened.Sigs { // note.Open ignores bits that base64 does not use
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return answer{}, err
		}
	}
	return answer{Text: opened.Text}, nil
}

// parseCheckpoint reads the three lines of a tlog-checkpoint. tlog.ParseTree reads the same, but for its first line.
func parseCheckpoint(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin {
		return tlog.Tree{}, errors.New("not a checkpoint of " + origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, errors.New("malformed size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := toHash(root)
	return tlog.Tree{N: size, Hash: hash}, err
}

// tiles reads a published directory. Go's tile paths name the height, ours do not; Go says data, we say entries.
type tiles struct{ directory string }

func (t tiles) Height() int                     { return tileHeight }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) file(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight))
	return filepath.Join(t.directory, "tile", strings.Replace(path, "data/", "entries/", 1))
}

// read reads a tile's file, or the full one that took its place.
func (t tiles) read(tile tlog.Tile) (data []byte, width int, err error) {
	data, err = os.ReadFile(t.file(tile))
	if errors.Is(err, os.ErrNotExist) && tile.W != tileWidth {
		tile.W = tileWidth
		data, err = os.ReadFile(t.file(tile))
	}
	return data, tile.W, err
}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	all := [][]byte{}
	for _, tile := range wanted {
		data, width, err := t.read(tile)
		if err != nil {
			return nil, err
		}
		if len(data) != width*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", t.file(tile), len(data))
		}
		all = append(all, data[:tile.W*tlog.HashSize])
	}
	return all, nil
}

// entries reads the bundle that begins with entry first, of a log of size entries.
func (t tiles) entries(first, size int64) ([][]byte, error) {
	tile := tlog.Tile{H: tileHeight, L: -1, N: first / tileWidth, W: tileWidth}
	if size-first < tileWidth {
		tile.W = int(size - first)
	}
	data, width, err := t.read(tile)
	if err != nil {
		return nil, err
	}
	all := [][]byte{}
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends within an entry", t.file(tile))
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all, data = append(all, data[2:end]), data[end:]
	}
	if len(all) != width {
		return nil, fmt.Errorf("%s has %d entries", t.file(tile), len(all))
	}
	return all[:tile.W], nil
}

// audit verifies a published directory from its first entry to its last, against its keys and what was seen before.
func audit(asked *request) (answer, error) {
	signed, err := os.ReadFile(filepath.Join(asked.Directory, "checkpoint"))
	if err != nil {
		return answer{}, err
	}
	asked.Note = signed
	opened, err := openNote(asked)
	if err != nil {
		return answer{}, err
	}
	tree, err := parseCheckpoint(opened.Text, asked.Origin)
	if err != nil {
		return answer{}, err
	}
	if tree.N < asked.HeldSize {
		return answer{}, fmt.Errorf("the log shrank from %d to %d", asked.HeldSize, tree.N)
	}
	published := tiles{asked.Directory}
	// every hash that this reader gives is proven against the signed root
	reader := tlog.TileHashReader(tree, published)
	if err := recompute(tree, published, reader, asked); err != nil {
		return answer{}, err
	}
	return answer{Size: tree.N}, proveGrowth(tree, reader, asked)
}

// recompute rebuilds the tree from the entries alone, and compares it with the tiles, the root and the held root.
func recompute(tree tlog.Tree, published tiles, reader tlog.HashReader, asked *request) error {
	var grown edge
	for first := int64(0); first < tree.N; first += tileWidth {
		entries, err := published.entries(first, tree.N)
		if err != nil {
			return err
		}
		indexes := make([]int64, len(entries))
		for i := range entries {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		proven, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			hash := tlog.RecordHash(entry)
			if hash != proven[i] {
				return fmt.Errorf("entry %d is not the one that was signed", first+int64(i))
			}
			grown.append(hash)
			if grown.size == asked.HeldSize {
				if root := grown.root(); string(root[:]) != string(asked.HeldRoot) {
					return fmt.Errorf("the first %d entries are not those that were seen", grown.size)
				}
			}
		}
	}
	if root := grown.root(); root != tree.Hash {
		return errors.New("the entries do not give the signed root")
	}
	return nil
}

// proveGrowth checks with Go's own proof that the tree begins with the one that was seen before.
func proveGrowth(tree tlog.Tree, reader tlog.HashReader, asked *request) error {
	if asked.HeldSize == 0 {
		return nil
	}
	held, err := toHash(asked.HeldRoot)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, asked.HeldSize, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, asked.HeldSize, held)
}

// An edge holds the roots of the perfect subtrees of a growing tree, the largest first.
type edge struct {
	size  int64
	peaks []tlog.Hash
}

func (m *edge) append(hash tlog.Hash) {
	for bits := m.size; bits&1 == 1; bits >>= 1 {
		last := len(m.peaks) - 1
		hash, m.peaks = tlog.NodeHash(m.peaks[last], hash), m.peaks[:last]
	}
	m.peaks = append(m.peaks, hash)
	m.size++
}

func (m *edge) root() tlog.Hash {
	if m.size == 0 {
		root, _ := treeHash(0, nil)
		return root
	}
	root := m.peaks[len(m.peaks)-1]
	for i := len(m.peaks) - 2; i >= 0; i-- {
		root = tlog.NodeHash(m.peaks[i], root)
	}
	return root
}
