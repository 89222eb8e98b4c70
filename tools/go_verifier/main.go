// Command go_verifier checks a ledger of ours with Go's transparency-log library alone
// (golang.org/x/mod/sumdb/note and tlog): signatures, roots, proofs, and whole published directories.
//
// It reads one JSON request a line and answers each with one line: {"ok":true,...} or {"ok":false,"error":"..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// A request is one question. Which members it has depends on Do.
type request struct {
	Do string `json:"do"`

	// audit, note
	Directory string   `json:"directory"`
	Origin    string   `json:"origin"`
	Keys      []string `json:"keys"`
	Note      []byte   `json:"note"`
	HeldSize  int64    `json:"heldSize"` // 0: nothing was seen before
	HeldRoot  []byte   `json:"heldRoot"`

	// inclusion, consistency
	Index   int64    `json:"index"`
	Size    int64    `json:"size"`
	Root    []byte   `json:"root"`
	Leaf    []byte   `json:"leaf"`
	OldSize int64    `json:"oldSize"`
	OldRoot []byte   `json:"oldRoot"`
	Proof   [][]byte `json:"proof"`

	// trees: sizes up to Size over the entries {"event":"posted","seq":i}
	Sizes []int64 `json:"sizes"`
	// proofs: for each pair of Pairs, the inclusion proof of [0] and the consistency proof from [0]+1, in a tree of [1]
	Pairs [][2]int64 `json:"pairs"`
}

// An answer is one line.
type answer struct {
	OK      bool       `json:"ok"`
	Error   string     `json:"error,omitempty"`
	Size    int64      `json:"size,omitempty"`
	Text    string     `json:"text,omitempty"`
	Digests []string   `json:"digests,omitempty"`
	Roots   [][]byte   `json:"roots,omitempty"`
	Proofs  [][][]byte `json:"proofs,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<28)
	out := bufio.NewWriter(os.Stdout)
	encode := json.NewEncoder(out)
	for in.Scan() {
		var asked request
		var given answer
		err := json.Unmarshal(in.Bytes(), &asked)
		if err == nil {
			given, err = handle(&asked)
		}
		given.OK = err == nil
		if err != nil {
			given.Error = err.Error()
		}
		if err := encode.Encode(given); err != nil {
			panic(err)
		}
		if err := out.Flush(); err != nil {
			panic(err)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func handle(asked *request) (answer, error) {
	switch asked.Do {
	case "audit":
		return audit(asked)
	case "note":
		return openNote(asked)
	case "inclusion":
		return answer{}, checkInclusion(asked)
	case "consistency":
		return answer{}, checkConsistency(asked)
	case "trees":
		return digestTrees(asked.Sizes)
	case "proofs":
		return makeProofs(asked.Pairs)
	}
	return answer{}, fmt.Errorf("unknown request %q", asked.Do)
}

func checkInclusion(asked *request) error {
	root, leaf, proof, err := hashes(asked.Root, asked.Leaf, asked.Proof)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, asked.Size, root, asked.Index, leaf)
}

func checkConsistency(asked *request) error {
	root, old, proof, err := hashes(asked.Root, asked.OldRoot, asked.Proof)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(proof), asked.Size, root, asked.OldSize, old)
}

func hashes(first, second []byte, proof [][]byte) (a, b tlog.Hash, all tlog.RecordProof, err error) {
	if a, err = toHash(first); err != nil {
		return
	}
	if b, err = toHash(second); err != nil {
		return
	}
	for _, one := range proof {
		var hash tlog.Hash
		if hash, err = toHash(one); err != nil {
			return
		}
		all = append(all, hash)
	}
	return
}

func toHash(data []byte) (hash tlog.Hash, err error) {
	if len(data) != tlog.HashSize {
		return hash, fmt.Errorf("%d bytes are no hash", len(data))
	}
	copy(hash[:], data)
	return hash, nil
}
