package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// memory holds the hashes of a tree in Go's own order; it is a tlog.HashReader for trees of any size up to its own.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(m)) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		found[i] = m[index]
	}
	return found, nil
}

// grow builds a tree of size entries {"event":"posted","seq":i}.
func grow(size int64) (memory, error) {
	var all memory
	for i := int64(0); i < size; i++ {
		more, err := tlog.StoredHashes(i, []byte(fmt.Sprintf(`{"event":"posted","seq":%d}`, i)), all)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func largest(sizes []int64) int64 {
	most := int64(0)
	for _, size := range sizes {
		if size > most {
			most = size
		}
	}
	return most
}

// digestTrees answers, for each size, SHA-256 over the root, every inclusion proof by index and every consistency proof
// by old size from 1 on, each behind its number of hashes as a byte. One digest stands for a million proofs.
func digestTrees(sizes []int64) (answer, error) {
	all, err := grow(largest(sizes))
	if err != nil {
		return answer{}, err
	}
	given := answer{}
	for _, size := range sizes {
		sum := sha256.New()
		root, err := treeHash(size, all)
		if err != nil {
			return answer{}, err
		}
		sum.Write(root[:])
		write := func(proof []tlog.Hash) {
			sum.Write([]byte{byte(len(proof))})
			for _, hash := range proof {
				sum.Write(hash[:])
			}
		}
		for index := int64(0); index < size; index++ {
			proof, err := tlog.ProveRecord(size, index, all)
			if err != nil {
				return answer{}, err
			}
			write(proof)
		}
		for old := int64(1); old <= size; old++ {
			proof, err := tlog.ProveTree(size, old, all)
			if err != nil {
				return answer{}, err
			}
			write(proof)
		}
		given.Digests = append(given.Digests, hex.EncodeToString(sum.Sum(nil)))
	}
	return given, nil
}

// makeProofs answers, for each pair (at, size), the root of size, and two proofs in that tree: of the entry at, and
// from size at+1.
func makeProofs(pairs [][2]int64) (answer, error) {
	sizes := []int64{}
	for _, pair := range pairs {
		sizes = append(sizes, pair[1])
	}
	all, err := grow(largest(sizes))
	if err != nil {
		return answer{}, err
	}
	given := answer{}
	for _, pair := range pairs {
		at, size := pair[0], pair[1]
		root, err := treeHash(size, all)
		if err != nil {
			return answer{}, err
		}
		record, err := tlog.ProveRecord(size, at, all)
		if err != nil {
			return answer{}, err
		}
		tree, err := tlog.ProveTree(size, at+1, all)
		if err != nil {
			return answer{}, err
		}
		given.Roots = append(given.Roots, root[:])
		given.Proofs = append(given.Proofs, toBytes(record), toBytes(tree))
	}
	return given, nil
}

func toBytes(proof []tlog.Hash) [][]byte {
	given := [][]byte{}
	for i := range proof {
		given = append(given, proof[i][:])
	}
	return given
}

// treeHash is tlog.TreeHash, but for a tree without entries: versions of the library before Go 1.21 give zeros there,
// RFC 6962 says SHA-256 of nothing.
func treeHash(size int64, reader tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, reader)
}
