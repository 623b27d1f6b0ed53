package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The attributes of an item. Their names are short because DynamoDB counts them as part of its size, in
// every write. Some are reserved words, or may become so: expressions use aliases only.
const (
	attrPK       = "pk"
	attrSK       = "sk"
	attrRev      = "v"
	attrData     = "d"
	attrList     = "l"
	attrListSort = "ls"
	attrDueShard = "q"
	attrDueAt    = "at"
	attrTrouble  = "t"
	attrExpires  = TTLAttribute
	// attrToken tells a conditional put's own item from another's: see DB.apply.
	attrToken = "w"
	// counterPrefix begins the attributes of an item of counters, so that no field's name can be one of
	// the above.
	counterPrefix = "+"
)

// TTLAttribute is the attribute that the table's time to live is switched on for: Unix seconds.
const TTLAttribute = "x"

// The indexes: sparse, and with keys only.
const (
	indexList    = "list"
	indexDue     = "due"
	indexTrouble = "trouble"
)

// Definition is the table with its indexes, paid per request. Its time to live (on [TTLAttribute]),
// backups and encryption are switched on by whoever makes it.
func Definition(name string) *dynamodb.CreateTableInput {
	attribute := func(name string, t types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: t}
	}
	keys := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	index := func(name, hash, sort string) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{IndexName: aws.String(name), KeySchema: keys(hash, sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}
	}
	const s, n = types.ScalarAttributeTypeS, types.ScalarAttributeTypeN
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keys(attrPK, attrSK),
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(attrPK, s), attribute(attrSK, s), attribute(attrList, s), attribute(attrListSort, s),
			attribute(attrDueShard, s), attribute(attrDueAt, n), attribute(attrTrouble, s),
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index(indexList, attrList, attrListSort),
			index(indexDue, attrDueShard, attrDueAt),
			index(indexTrouble, attrTrouble, attrSK),
		},
	}
}
