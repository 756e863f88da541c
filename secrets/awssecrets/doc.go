// Package awssecrets is the source of secrets that are kept in AWS Secrets
// Manager:
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	keys := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
//
//	key, err := keys.Get(ctx, "payments/api-key")
//	if err != nil {
//		return err
//	}
//	req.Header.Set("Authorization", "Bearer "+key.Text())
//
// # Names
//
// A name is that of a secret, its ARN, or its ARN without the hyphen and the six
// characters at the end. A secret of another account needs its whole ARN. Without
// a stage or a version it is the version of AWSCURRENT. A policy that depends on
// secretsmanager:VersionStage is met only by a request that says its stage:
// secrets.VersionStage("AWSCURRENT").
//
// # Requests and permissions
//
// One secret, and every one with a stage or a version, costs a GetSecretValue.
// Several cost a BatchGetSecretValue for each twenty. It does not read the secrets
// of other accounts, so that an ARN which it refuses is asked for by itself. So is
// what it leaves out, and an ARN that is cut off and looks whole, as one that ends
// with "my-secret" does. A batch that is refused as a whole costs a request for
// each secret besides: a function without the permission for it works, slowly.
//
//	{
//	  "Effect": "Allow",
//	  "Action": "secretsmanager:GetSecretValue",
//	  "Resource": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:payments/*"
//	},
//	{
//	  "Effect": "Allow",
//	  "Action": "secretsmanager:BatchGetSecretValue",
//	  "Resource": "*"
//	}
//
// A key of one's own needs kms:Decrypt, and [RotationAware]
// secretsmanager:DescribeSecret.
//
// # Errors
//
// [secrets.ErrNotFound] is also a secret that is scheduled for deletion, and a
// version that does not have the stage. [secrets.ErrDenied] is also a KMS key that
// the function may not use, and credentials that are not valid or not valid any
// more; [secrets.ErrUndecryptable] one that is disabled or gone.
// [secrets.ErrUnavailable] is throttling, which AWS sends as a 400, a status of
// 500 and more, a time-out, a connection that fails, and an answer that cannot be
// read. Every other error is final as well and has the SDK's as its cause.
//
// # Retries
//
// The SDK's client tries three times and waits up to 20 s in between. The cache's
// FetchTimeout ends that, and what it ends is unavailable: a client for secrets does
// better with shorter waits.
//
//	client := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
//		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
//	})
//
// The client logs values if its ClientLogMode includes LogResponseWithBody: do not
// set that.
package awssecrets
