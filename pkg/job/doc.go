// Package job does long work in pages: a record says what is to be done and where the next page begins, an
// entry of the control queue has it done. Between two pages a job can be paused, resumed and stopped by
// whoever writes that into the record.
//
// A page is done at least once, and again only when its end could not be kept, so a page must be one that
// may be done twice. Entries are hints: one that is lost is put again by Requeue, one that is repeated finds
// that its page is done. Nothing depends on the order of entries, or on one process.
package job
