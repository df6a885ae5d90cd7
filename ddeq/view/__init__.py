"""The only part of the package that knows Streamlit or Plotly."""
