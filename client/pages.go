package client

import "iter"

// pages goes through a list from after on, page by page. It ends with the first error.
func pages[T any](after string, read func(after string) (items []T, next string, err error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for after := after; ; {
			items, next, err := read(after)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range items {
				if !yield(&items[i], nil) {
					return
				}
			}
			if after = next; after == "" {
				return
			}
		}
	}
}
