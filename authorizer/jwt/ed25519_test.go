package jwt_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// smallOrders are all texts of the points of small order, and of what
// crypto/ed25519 takes for one (https://eprint.iacr.org/2020/1244, table 1).
var smallOrders = []string{
	"01" + strings.Repeat("00", 31), "ec" + strings.Repeat("ff", 30) + "7f",
	strings.Repeat("00", 31) + "80", strings.Repeat("00", 32),
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"01" + strings.Repeat("00", 30) + "80", "ec" + strings.Repeat("ff", 31),
	"ee" + strings.Repeat("ff", 30) + "7f", "ee" + strings.Repeat("ff", 31),
	"ed" + strings.Repeat("ff", 31), "ed" + strings.Repeat("ff", 30) + "7f",
}

func smallOrder(i int) ed25519.PublicKey { return must(hex.DecodeString(smallOrders[i])) }

// With such a key, whoever has no private one signs: a signature of the point
// at infinity and zero holds for one in eight tokens. It is no key.
func TestAnEd25519KeyOfSmallOrderIsRefused(t *testing.T) {
	infinity := append(smallOrder(0), make([]byte, 32)...)
	for i, text := range smallOrders {
		forged := false
		for try := 0; try < 1000 && !forged; try++ {
			forged = ed25519.Verify(smallOrder(i), fmt.Append(nil, try), infinity)
		}
		if !forged {
			t.Errorf("%s: nobody can forge with it", text)
		}
		key := signingKey{jwt.EdDSA, "s", nil, smallOrder(i)}
		if text := panicOf(func() { jwt.KeySet(jwks(key)) }); !strings.Contains(text, "small order") {
			t.Errorf("%s: %q", smallOrders[i], text)
		}
	}
	for range 100 {
		jwt.KeySet(jwks(newEd("k")))
	}
	for _, text := range []string{ // neighbours of the above
		"02" + strings.Repeat("00", 31), "eb" + strings.Repeat("ff", 30) + "7f", "ef" + strings.Repeat("ff", 30) + "7f",
		"0001" + strings.Repeat("00", 30), "ecfe" + strings.Repeat("ff", 29) + "7f",
	} {
		jwt.KeySet(jwks(signingKey{jwt.EdDSA, "k", nil, ed25519.PublicKey(must(hex.DecodeString(text)))}))
	}
}
