// Package origin refuses invocations that come from the wrong account, API, queue,
// network or version of the function.
//
//	guard.Start(batch.SQS(book), guard.Default(log), origin.Require(
//		origin.Account("123456789012"),
//		origin.Source("arn:aws:sqs:eu-central-1:123456789012:orders"),
//		origin.Qualified("live"),
//	))
//
// # What it is worth
//
// It is defence in depth, and no authentication. The rules read what the event says.
// Anyone who may invoke the function can write an event that says the right things. Only
// the function's ARN and the tenant come from Lambda, see [Qualified] and [Tenant].
//
// The control is the policy that says who may invoke the function. docs/origin.md has
// one beside each rule. A rule catches what a policy lets through by mistake: a second
// API or trigger that somebody has added, a bucket that was deleted and made again in
// another account, a test stage that calls production.
//
// # Policies
//
// A service that pushes events needs a permission of the function. Bind it to the
// resource and to its account:
//
//	{
//		"Effect": "Allow",
//		"Principal": {"Service": "s3.amazonaws.com"},
//		"Action": "lambda:InvokeFunction",
//		"Resource": "arn:aws:lambda:eu-central-1:123456789012:function:scan:live",
//		"Condition": {
//			"StringEquals": {"AWS:SourceAccount": "123456789012"},
//			"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::shop-uploads"}
//		}
//	}
//
// S3 needs both conditions, because the ARN of a bucket has no account. A function URL
// needs permissions for both lambda:InvokeFunctionUrl and lambda:InvokeFunction since
// October 2025, the second with the condition lambda:InvokedViaFunctionUrl. Queues and
// streams are polled with the function's own role, so their control is the role's policy
// and the event source mapping.
//
// # What is judged
//
// A rule judges all that the event says about its subject. In a batch that is every
// record: one foreign record refuses the event, and so does one without a source. A
// rule refuses an event that does not have what it judges. That includes an event
// without records, and a direct invocation. [Qualified], [Tenant] and [TenantClaim] judge
// any invocation.
//
// The envelopes alone are judged. What a message quotes is the sender's word: an SNS
// notification or an S3 event in the body of an SQS message is not looked at.
//
// All rules must be met. A function with several triggers has a Require around the
// handler of each.
package origin
