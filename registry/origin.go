package registry

import (
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// origins remembers in which repositories a blob lies, so that a push into another one of the same registry
// can mount it. It goes by digests: a layer may be wrapped, cached or renamed on its way through a build.
type origins struct {
	mu  sync.Mutex
	all map[v1.Hash][]name.Repository
}

func (o *origins) add(repo name.Repository, blobs ...v1.Hash) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[v1.Hash][]name.Repository{}
	}
	for _, h := range blobs {
		if !slices.Contains(o.all[h], repo) {
			o.all[h] = append(o.all[h], repo)
		}
	}
}

// find returns a repository of the same registry that has the blob. Other registries' names are none of its business.
func (o *origins) find(h v1.Hash, target name.Repository) (name.Repository, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, repo := range o.all[h] {
		if repo.RegistryStr() == target.RegistryStr() && repo.RepositoryStr() != target.RepositoryStr() {
			return repo, true
		}
	}
	return name.Repository{}, false
}
