package secrets

// GetOption says which value of a name is meant. Options cost no memory.
type GetOption struct {
	part part
	text string
}

type part uint8

const (
	byStage part = iota + 1
	byVersion
	decrypted
	encrypted
)

// VersionStage asks for the value of a staging label, like AWSPREVIOUS, or of a
// parameter's label. "" is what the source gives when it is not told.
func VersionStage(stage string) GetOption { return GetOption{byStage, stage} }

// VersionID asks for one version, by its id or number.
func VersionID(id string) GetOption { return GetOption{byVersion, id} }

// Decrypt asks for a value decrypted, as it is without the option, or with
// false as it is stored, where the source knows the difference.
func Decrypt(yes bool) GetOption {
	if yes {
		return GetOption{part: decrypted}
	}
	return GetOption{part: encrypted}
}

func (o GetOption) apply(ref *Ref) {
	switch o.part {
	case byStage:
		ref.Stage = o.text
	case byVersion:
		ref.Version = o.text
	case decrypted:
		ref.Encrypted = false
	case encrypted:
		ref.Encrypted = true
	}
}
