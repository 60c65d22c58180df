"""HTML pages: self-contained, light and dark, without a request to anywhere. Templates, one style, charts as inline SVG."""
