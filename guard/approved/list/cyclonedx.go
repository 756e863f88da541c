package main

import (
	"io"
	"runtime/debug"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// toolName is what made a bill of materials.
const toolName = "lambdarmor-approved-list"

func writeCycloneDX(w io.Writer, info *debug.BuildInfo) error {
	at, err := created(info)
	if err != nil {
		return err
	}
	function := cyclonedxComponent(functionOf(info), cyclonedx.ComponentTypeApplication)
	var modules []cyclonedx.Component
	var refs []string
	for _, c := range componentsOf(info) {
		module := cyclonedxComponent(c, cyclonedx.ComponentTypeLibrary)
		modules = append(modules, module)
		refs = append(refs, module.BOMRef)
	}

	bom := cyclonedx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + identity(info)
	bom.Metadata = &cyclonedx.Metadata{
		Component: &function,
		Tools:     &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{{Type: cyclonedx.ComponentTypeApplication, Name: toolName}}},
	}
	if !at.IsZero() {
		bom.Metadata.Timestamp = at.Format(time.RFC3339)
	}
	bom.Components = &modules
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: function.BOMRef, Dependencies: &refs}}
	return cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).
		EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}

func cyclonedxComponent(c component, kind cyclonedx.ComponentType) cyclonedx.Component {
	out := cyclonedx.Component{BOMRef: c.purl, Type: kind, Name: c.name, Version: c.version, PackageURL: c.purl}
	var properties []cyclonedx.Property
	if c.sum != "" {
		properties = append(properties, cyclonedx.Property{Name: "lambdarmor:sum", Value: c.sum})
	}
	if c.note != "" {
		properties = append(properties, cyclonedx.Property{Name: "lambdarmor:note", Value: c.note})
	}
	if properties != nil {
		out.Properties = &properties
	}
	return out
}
