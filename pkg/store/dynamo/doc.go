// Package dynamo keeps the items of a [store.Driver] in one DynamoDB table, for notify on AWS.
//
// Every element is one conditional put or delete, and a refusal carries the holder: a write never needs a
// read, and nothing is ever a transaction, which would cost twice. The elements of a sequence go one
// after the other, sequences side by side. Reads by key and by partition are consistent; the three
// indexes lag behind the table by moments.
//
// What a write costs: one write unit per started KB of the item, and one for each index entry that comes
// or goes. The indexes hold keys only, so that a change of anything but their keys costs nothing there.
package dynamo
