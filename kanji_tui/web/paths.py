"""The names in a page's folder, and what the page may load."""

INDEX = "index.html"
MODEL = "model.onnx"
CLASSES = "classes.json"
LICENSES = "licenses.txt"
CONTENT_SECURITY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
