package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

func writeSPDX(w io.Writer, info *debug.BuildInfo) error {
	at, err := created(info)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = time.Unix(0, 0).UTC()
	}
	doc := &v2_3.Document{
		SPDXVersion:       v2_3.Version,
		DataLicense:       v2_3.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      info.Path,
		DocumentNamespace: "https://spdx.org/spdxdocs/" + identity(info),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: toolName}},
			Created:  at.Format(time.RFC3339),
		},
	}
	function := spdxPackage(functionOf(info), "Function", "APPLICATION")
	doc.Packages = append(doc.Packages, function)
	doc.Relationships = append(doc.Relationships, relation("DOCUMENT", "DESCRIBES", function.PackageSPDXIdentifier))
	for i, c := range componentsOf(info) {
		module := spdxPackage(c, common.ElementID(fmt.Sprintf("Module-%d", i)), "LIBRARY")
		doc.Packages = append(doc.Packages, module)
		doc.Relationships = append(doc.Relationships, relation(function.PackageSPDXIdentifier, "DEPENDS_ON", module.PackageSPDXIdentifier))
	}
	return json.Write(doc, w, json.Indent("  "), json.EscapeHTML(false))
}

func spdxPackage(c component, id common.ElementID, purpose string) *v2_3.Package {
	comment := c.note
	if c.sum != "" {
		comment = strings.TrimSpace("go.sum: " + c.sum + " " + c.note)
	}
	return &v2_3.Package{
		PackageName:             c.name,
		PackageSPDXIdentifier:   id,
		PackageVersion:          c.version,
		PackageDownloadLocation: "NOASSERTION",
		PackageComment:          comment,
		PrimaryPackagePurpose:   purpose,
		PackageExternalReferences: []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: c.purl,
		}},
	}
}

func relation(from common.ElementID, kind string, to common.ElementID) *v2_3.Relationship {
	return &v2_3.Relationship{
		RefA: common.DocElementID{ElementRefID: from}, RefB: common.DocElementID{ElementRefID: to}, Relationship: kind,
	}
}
