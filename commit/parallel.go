package commit

import "sync"

// TensorRootParallel is TensorRoot with the hashing spread over threads. It gives the same root; consensus code calls TensorRoot.
func TensorRootParallel(dtype uint8, shape []int64, data []byte, threads int) (Hash, error) {
	if err := checkData(dtype, shape, data); err != nil {
		return Hash{}, err
	}
	const block = 1 << 10 // chunks: 1 MiB a job
	leaves := LeafCount(uint64(len(data)))
	if threads <= 1 || leaves <= block {
		return TensorRootOf(dtype, shape, MerkleRoot(data))
	}
	jobs := int((leaves + block - 1) / block)
	nodes := make([]Hash, jobs)
	threads = min(threads, jobs)
	var wg sync.WaitGroup
	for w := range threads {
		wg.Go(func() {
			for j := w; j < jobs; j += threads {
				nodes[j] = MerkleRoot(data[j*block*ChunkSize : min((j+1)*block*ChunkSize, len(data))])
			}
		})
	}
	wg.Wait()
	// Blocks are aligned powers of two, so their roots are the leaves of the upper tree.
	var top Hasher
	for _, n := range nodes {
		top.push(0, n)
	}
	return TensorRootOf(dtype, shape, top.Root())
}
