// Package audience reads lists of recipients: CSV files as spreadsheets write them, and JSON lines. Rows come
// one by one and a list is never held whole; reading can stop after any row and go on from there later, in
// another process. A row that is wrong says what is wrong with which cell and does not touch the others.
package audience
