package jwt_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// An issuance is a token in the form in which an issuer issues it, and how it is
// verified. In its texts KID is the key's, and IAT and EXP are times that hold.
type issuance struct {
	name           string
	config         jwt.Config
	metadata       string // where discovery finds them; "" when it is not used
	keys           string // where the keys are
	entry          string // of the key, beside kty, kid, n and e
	header, claims string
	want           authorizer.Grant // Expires aside
	other          string           // another token of the same issuer, which is not for this
	code           string           // that it gets
}

func issuances() []issuance {
	const (
		pool   = "eu-central-1_AbCdEfGhI"
		client = "7h2k3j4l5m6n7o8p9q0r1s2t3u"
		tid    = "9188040d-6c67-4c5b-b112-36a304b66dad"
		app    = "6731de76-14a6-49ae-97bc-6eba6914391e"
	)
	cognito, cognitoID := jwt.Cognito(pool, client), jwt.CognitoID(pool, client)
	cognitoID.Context = []string{"email", "email_verified", "custom:tenant"}
	cognitoKeys := cognito.Issuer + "/.well-known/jwks.json"
	cognitoAccess := `{"sub":"1b7c1a52-8f0e","device_key":"eu-central-1_a","cognito:groups":["admins"],"iss":"` + cognito.Issuer + `","version":2,"client_id":"` + client + `","origin_jti":"c7b6","event_id":"e","token_use":"access","scope":"aws.cognito.signin.user.admin orders/read","auth_time":IAT,"exp":EXP,"iat":IAT,"jti":"0f1e","username":"ada"}`
	cognitoIdentity := `{"at_hash":"x","sub":"1b7c1a52-8f0e","cognito:groups":["admins"],"email_verified":true,"cognito:preferred_role":"arn:aws:iam::123456789012:role/a","iss":"` + cognito.Issuer + `","cognito:username":"ada","origin_jti":"c7b6","cognito:roles":["arn:aws:iam::123456789012:role/a"],"aud":"` + client + `","identities":[{"userId":"1","providerName":"Google","dateCreated":"1700000000000","primary":"true"}],"token_use":"id","auth_time":IAT,"exp":EXP,"iat":IAT,"jti":"0f1e","email":"ada@example.com","custom:tenant":"42"}`
	signed := `"alg":"RS256","use":"sig"`
	return []issuance{
		{
			name: "Cognito, access", config: cognito, keys: cognitoKeys, entry: signed,
			header: `{"kid":"KID","alg":"RS256"}`, claims: cognitoAccess,
			want:  authorizer.Grant{Principal: "1b7c1a52-8f0e", Scopes: []string{"aws.cognito.signin.user.admin", "orders/read"}, Groups: []string{"admins"}},
			other: cognitoIdentity, code: "token_type",
		},
		{
			name: "Cognito, ID", config: cognitoID, keys: cognitoKeys, entry: signed,
			header: `{"kid":"KID","alg":"RS256"}`, claims: cognitoIdentity,
			want:  authorizer.Grant{Principal: "1b7c1a52-8f0e", Groups: []string{"admins"}, Context: map[string]any{"email": "ada@example.com", "email_verified": true, "custom:tenant": "42"}},
			other: cognitoAccess, code: "token_type",
		},
		{
			name:     "Auth0",
			config:   jwt.Config{Issuer: "https://tenant.eu.auth0.com/", Audiences: []string{audience}, Clients: []string{"my_client_id"}, ClientClaim: "azp", Context: []string{"org_id", "https://example.com/plan"}},
			metadata: "https://tenant.eu.auth0.com/.well-known/openid-configuration", keys: "https://tenant.eu.auth0.com/.well-known/jwks.json",
			entry:  signed + `,"x5t":"AAAA","x5c":["MIIDDT+CC/aAbCdEf="]`,
			header: `{"alg":"RS256","typ":"JWT","kid":"KID"}`,
			claims: `{"https://example.com/plan":"gold","iss":"https://tenant.eu.auth0.com/","sub":"auth0|5f7c8ec7c33c6c004bbafe82","aud":["` + audience + `","https://tenant.eu.auth0.com/userinfo"],"iat":IAT,"exp":EXP,"azp":"my_client_id","scope":"openid profile read:orders","org_id":"org_1","permissions":["read:orders"]}`,
			want:   authorizer.Grant{Principal: "auth0|5f7c8ec7c33c6c004bbafe82", Scopes: []string{"openid", "profile", "read:orders"}, Context: map[string]any{"org_id": "org_1", "https://example.com/plan": "gold"}},
			other:  `{"nickname":"ada","name":"Ada","updated_at":"2026-01-01T00:00:00.000Z","email":"ada@example.com","email_verified":true,"iss":"https://tenant.eu.auth0.com/","aud":"my_client_id","sub":"auth0|5f7","iat":IAT,"exp":EXP,"sid":"s","nonce":"n"}`, code: "token_audience",
		},
		{
			name: "Auth0, in the profile of RFC 9068", config: jwt.AccessToken("https://tenant.eu.auth0.com/", audience),
			metadata: "https://tenant.eu.auth0.com/.well-known/openid-configuration", keys: "https://tenant.eu.auth0.com/.well-known/jwks.json", entry: signed,
			header: `{"alg":"RS256","typ":"at+jwt","kid":"KID"}`,
			claims: `{"iss":"https://tenant.eu.auth0.com/","sub":"c@clients","aud":"` + audience + `","iat":IAT,"exp":EXP,"jti":"j","client_id":"c"}`,
			want:   authorizer.Grant{Principal: "c@clients"},
		},
		{
			name:     "Okta",
			config:   jwt.Config{Issuer: "https://dev-1.okta.com/oauth2/default", Audiences: []string{"api://default"}, Clients: []string{"0oa1"}, ClientClaim: "cid", Groups: "groups"},
			metadata: "https://dev-1.okta.com/oauth2/default/.well-known/openid-configuration", keys: "https://dev-1.okta.com/oauth2/default/v1/keys", entry: signed,
			header: `{"kid":"KID","alg":"RS256"}`,
			claims: `{"ver":1,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE","iss":"https://dev-1.okta.com/oauth2/default","aud":"api://default","iat":IAT,"exp":EXP,"cid":"0oa1","uid":"00u1","scp":["openid","orders.read"],"auth_time":IAT,"sub":"ada@example.com","groups":["Everyone","Sales & Ops"]}`,
			want:   authorizer.Grant{Principal: "ada@example.com", Scopes: []string{"openid", "orders.read"}, Groups: []string{"Everyone", "Sales & Ops"}},
			other:  `{"sub":"00u1","ver":1,"iss":"https://dev-1.okta.com/oauth2/default","aud":"0oa1","iat":IAT,"exp":EXP,"jti":"ID.1","amr":["pwd"],"idp":"00o1","auth_time":IAT}`, code: "token_audience",
		},
		{
			name:     "Keycloak",
			config:   jwt.Config{Issuer: "https://sso.example/realms/shop", Audiences: []string{"account"}, Clients: []string{"shop"}, ClientClaim: "azp"},
			metadata: "https://sso.example/realms/shop/.well-known/openid-configuration", keys: "https://sso.example/realms/shop/protocol/openid-connect/certs",
			entry:  signed + `,"x5c":["MIIClTCCAX0="],"x5t":"AAAA","x5t#S256":"AAAA"`,
			header: `{"alg":"RS256","typ" : "JWT","kid" : "KID"}`,
			claims: `{"exp":EXP,"iat":IAT,"auth_time":IAT,"jti":"onrtac:1","iss":"https://sso.example/realms/shop","aud":"account","sub":"f1e2","typ":"Bearer","azp":"shop","sid":"s","acr":"1","allowed-origins":["https://shop.example"],"realm_access":{"roles":["offline_access"]},"resource_access":{"account":{"roles":["view-profile"]}},"scope":"openid email","email_verified":true,"clientId":"shop","clientHost":"10.0.0.1","preferred_username":"ada"}`,
			want:   authorizer.Grant{Principal: "f1e2", Scopes: []string{"openid", "email"}},
			other:  `{"exp":EXP,"iat":IAT,"auth_time":IAT,"jti":"1","iss":"https://sso.example/realms/shop","aud":"shop","sub":"f1e2","typ":"ID","azp":"shop","nonce":"n","sid":"s","at_hash":"h","acr":"1"}`, code: "token_audience",
		},
		{
			name:   "Entra ID, v1",
			config: jwt.Config{Issuer: "https://sts.windows.net/" + tid + "/", Audiences: []string{"api://orders"}, Groups: "roles", Keys: jwt.JWKS("https://login.microsoftonline.com/" + tid + "/discovery/keys")},
			keys:   "https://login.microsoftonline.com/" + tid + "/discovery/keys", entry: `"use":"sig","x5t":"AAAA","x5c":["MIIC/jCC="]`,
			header: `{"typ":"JWT","alg":"RS256","x5t":"KID","kid":"KID"}`,
			claims: `{"aud":"api://orders","iss":"https://sts.windows.net/` + tid + `/","iat":IAT,"nbf":IAT,"exp":EXP,"acr":"1","aio":"AXQAi/8IAAAA","amr":["pwd"],"appid":"` + app + `","appidacr":"0","email":"ada@example.com","ipaddr":"192.0.2.1","name":"Ada","oid":"690222be","rh":"I","roles":["Reader"],"scp":"access_as_user","sub":"HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ","tid":"` + tid + `","unique_name":"ada@example.com","uti":"fqiBqXLPj0eQa82S-IYFAA","ver":"1.0"}`,
			want:   authorizer.Grant{Principal: "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", Scopes: []string{"access_as_user"}, Groups: []string{"Reader"}},
			other:  `{"aud":"api://orders","iss":"https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/","iat":IAT,"nbf":IAT,"exp":EXP,"sub":"x","ver":"1.0"}`, code: "token_issuer",
		},
		{
			name:     "Entra ID, v2, of an application",
			config:   jwt.Config{Issuer: "https://login.microsoftonline.com/" + tid + "/v2.0", Audiences: []string{app}, Groups: "roles"},
			metadata: "https://login.microsoftonline.com/" + tid + "/v2.0/.well-known/openid-configuration", keys: "https://login.microsoftonline.com/" + tid + "/discovery/v2.0/keys",
			entry:  `"use":"sig","x5t":"AAAA","x5c":["MIIC/jCC="],"cloud_instance_name":"microsoftonline.com","issuer":"https://login.microsoftonline.com/` + tid + `/v2.0"`,
			header: `{"typ":"JWT","alg":"RS256","kid":"KID"}`,
			claims: `{"aud":"` + app + `","iss":"https://login.microsoftonline.com/` + tid + `/v2.0","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"k","azp":"` + app + `","azpacr":"1","oid":"690222be","rh":"0.A","roles":["Orders.Read.All"],"sub":"690222be","tid":"` + tid + `","uti":"u","ver":"2.0","xms_ftd":"x"}`,
			want:   authorizer.Grant{Principal: "690222be", Groups: []string{"Orders.Read.All"}},
		},
		{
			name:     "Google",
			config:   jwt.Config{Issuer: "https://accounts.google.com", Audiences: []string{"32555940559.apps.googleusercontent.com"}, Context: []string{"email"}},
			metadata: "https://accounts.google.com/.well-known/openid-configuration", keys: "https://www.googleapis.com/oauth2/v3/certs", entry: signed,
			header: `{"alg":"RS256","kid":"KID","typ":"JWT"}`,
			claims: `{"iss":"https://accounts.google.com","azp":"32555940559.apps.googleusercontent.com","aud":"32555940559.apps.googleusercontent.com","sub":"111260650121185072906","hd":"example.com","email":"ada@example.com","email_verified":true,"at_hash":"QQ","iat":IAT,"exp":EXP}`,
			want:   authorizer.Grant{Principal: "111260650121185072906", Context: map[string]any{"email": "ada@example.com"}},
			other:  `{"iss":"accounts.google.com","aud":"32555940559.apps.googleusercontent.com","sub":"1","iat":IAT,"exp":EXP}`, code: "token_issuer",
		},
		{
			name:     "Firebase",
			config:   jwt.Config{Issuer: "https://securetoken.google.com/shop-1", Audiences: []string{"shop-1"}},
			metadata: "https://securetoken.google.com/shop-1/.well-known/openid-configuration", keys: "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", entry: signed,
			header: `{"alg":"RS256","kid":"KID","typ":"JWT"}`,
			claims: `{"name":"Ada","picture":"https://example.com/a","iss":"https://securetoken.google.com/shop-1","aud":"shop-1","auth_time":IAT,"user_id":"u","sub":"u","iat":IAT,"exp":EXP,"email":"ada@example.com","email_verified":false,"firebase":{"identities":{"email":["ada@example.com"]},"sign_in_provider":"password"}}`,
			want:   authorizer.Grant{Principal: "u"},
			other:  `{"iss":"https://securetoken.google.com/shop-2","aud":"shop-2","sub":"u","iat":IAT,"exp":EXP}`, code: "token_issuer",
		},
		{
			name:     "IdentityServer",
			config:   jwt.AccessToken("https://id.example", "orders"),
			metadata: "https://id.example/.well-known/openid-configuration", keys: "https://id.example/.well-known/openid-configuration/jwks", entry: signed,
			header: `{"alg":"RS256","kid":"KID","typ":"at+jwt"}`,
			claims: `{"iss":"https://id.example","nbf":IAT,"iat":IAT,"exp":EXP,"aud":"orders","scope":["openid","orders.read"],"amr":["pwd"],"client_id":"web","sub":"1","auth_time":IAT,"idp":"local","sid":"s","jti":"j"}`,
			want:   authorizer.Grant{Principal: "1", Scopes: []string{"openid", "orders.read"}},
		},
		{
			name: "GitHub Actions", config: jwt.Config{Issuer: "https://token.actions.githubusercontent.com", Audiences: []string{"sts.example.com"}, Context: []string{"repository", "ref"}},
			metadata: "https://token.actions.githubusercontent.com/.well-known/openid-configuration", keys: "https://token.actions.githubusercontent.com/.well-known/jwks",
			entry:  signed + `,"x5c":["MIIDrDCC="],"x5t":"AAAA"`,
			header: `{"typ":"JWT","alg":"RS256","x5t":"KID","kid":"KID"}`,
			claims: `{"jti":"e","sub":"repo:octo-org/octo-repo:environment:prod","environment":"prod","aud":"sts.example.com","ref":"refs/heads/main","sha":"example-sha","repository":"octo-org/octo-repo","run_id":"1","base_ref":"","ref_type":"branch","iss":"https://token.actions.githubusercontent.com","nbf":IAT,"exp":EXP,"iat":IAT}`,
			want:   authorizer.Grant{Principal: "repo:octo-org/octo-repo:environment:prod", Context: map[string]any{"repository": "octo-org/octo-repo", "ref": "refs/heads/main"}},
		},
		{
			name: "Kubernetes", config: jwt.Config{Issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD", Audiences: []string{"sts.amazonaws.com"}},
			metadata: "https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD/.well-known/openid-configuration", keys: "https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD/keys", entry: signed,
			header: `{"alg":"RS256","kid":"KID"}`,
			claims: `{"aud":["sts.amazonaws.com"],"exp":EXP,"iat":IAT,"iss":"https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD","jti":"j","kubernetes.io":{"namespace":"default","serviceaccount":{"name":"app","uid":"u"}},"nbf":IAT,"sub":"system:serviceaccount:default:app"}`,
			want:   authorizer.Grant{Principal: "system:serviceaccount:default:app"},
		},
	}
}

func TestTokensAsIssuersIssueThem(t *testing.T) {
	k := newRSA(jwt.RS256, "KID-1_a/b+c=")
	fill := strings.NewReplacer("KID", k.kid, "IAT", fmt.Sprint(now.Unix()), "EXP", fmt.Sprint(now.Unix()+3600)).Replace
	unused := newRSA(jwt.RS256, "enc").jwk(map[string]any{"use": "enc", "alg": "RSA-OAEP"}) // Keycloak has one, and others may
	for _, i := range issuances() {
		t.Run(i.name, func(t *testing.T) {
			key := k.jwk(map[string]any{"alg": nil, "use": nil})
			if err := json.Unmarshal([]byte("{"+i.entry+"}"), &key); err != nil {
				t.Fatal(err)
			}
			n := newInternet(map[string][]byte{i.keys: jwksOf(unused, key)})
			if i.metadata != "" {
				n.put(i.metadata, must(json.Marshal(map[string]any{
					"issuer": i.config.Issuer, "jwks_uri": i.keys, "authorization_endpoint": "https://x.example/authorize",
					"token_endpoint_auth_methods_supported": []string{"client_secret_post"}, "claims_supported": []string{"sub", "iss"},
					"request_parameter_supported": false, "mtls_endpoint_aliases": map[string]string{"token_endpoint": "https://x.example/t"}, "rbac_url": nil,
				})))
			}
			i.config.HTTPClient = n.client()
			v := verifier(t, i.config)
			got, err := v.Verify(t.Context(), k.sign(fill(i.header), fill(i.claims)))
			if err != nil {
				t.Fatal(err)
			}
			i.want.Expires = got.Expires
			if !reflect.DeepEqual(*got, i.want) {
				t.Errorf("%+v, want %+v", *got, i.want)
			}
			if i.other != "" {
				expectCode(t, v, "another token", k.sign(fill(i.header), fill(i.other)), i.code)
			}
		})
	}
}
