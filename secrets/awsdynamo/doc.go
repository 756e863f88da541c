// Package awsdynamo fetches items of DynamoDB tables, as JSON.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	settings := secrets.New(awsdynamo.New(dynamodb.NewFromConfig(cfg), awsdynamo.Items(map[string]awsdynamo.Item{
//		"limits": {Table: "settings", Hash: awsdynamo.Text("shop", "berlin"), Sort: awsdynamo.Text("kind", "limits")},
//	})))
//	limits, err := secrets.JSON[Limits](ctx, settings, "limits")
//
// # Names
//
// A name stands for one item. [Items] lists the names; another function makes the
// item of any name. A name is never split into parts, so that a part from a
// request cannot become another key:
//
//	tenants := secrets.New(awsdynamo.New(client, func(id string) (awsdynamo.Item, bool) {
//		return awsdynamo.Item{Table: "tenants", Hash: awsdynamo.Text("id", id)}, true
//	}))
//
// An item has no versions, stages or encrypted form; to ask for one is an error.
//
// # Values
//
// The value is a JSON object of all attributes, the keys as well, in the order of
// their names:
//
//	S           string
//	N           number with the digits that DynamoDB returned
//	BOOL, NULL  true, false, null
//	B           string in base64
//	M, L        object, array
//	SS, NS, BS  sorted array of strings, numbers or base64
//
// A float64 holds 15 digits of a number, DynamoDB 38: decode larger ones into a
// [encoding/json.Number].
//
// An item is returned until DynamoDB deletes it, which may be days after the time
// in its TTL attribute.
//
// # Requests and permissions
//
// An item costs one GetItem, up to eight of a fetch at the same time. They are
// strongly consistent and cost a read unit for each 4 KB: a value that was
// outdated when it was read would be cached for a whole TTL. BatchGetItem would
// need a second permission, and costs as much.
//
//	{
//	  "Effect": "Allow",
//	  "Action": "dynamodb:GetItem",
//	  "Resource": "arn:aws:dynamodb:eu-central-1:111122223333:table/settings",
//	  "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["berlin"]}}
//	}
//
// A customer managed key of the table needs kms:Decrypt.
//
// # Errors
//
// [secrets.ErrNotFound] is also a table that does not exist and a name that stands
// for no item. [secrets.ErrDenied] is also credentials that are invalid or
// expired. [secrets.ErrUnavailable] is throttling (a 400 of AWS), a status of 500
// and more, a timeout, a broken connection, and an answer that cannot be read.
// Every other error is final as well and has the SDK's error as its cause.
//
// # The client
//
// The SDK's client tries three times and waits up to 20 s in between. FetchTimeout
// cuts that off, so shorter waits are better:
//
//	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
//		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
//	})
//
// Do not set LogResponseWithBody in its ClientLogMode: the client would log items.
package awsdynamo
